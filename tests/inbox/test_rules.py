"""Rules in words, as the page and the API say them (engine rule 32). No database."""

import pytest

from apps.accounts.models import User
from apps.inbox import words
from apps.inbox.models import TaskAssignee


def people(count, **of_the_first):
    named = [User(name=f"Person {index}", email=f"p{index}@acme.test") for index in range(count)]
    first = {0: of_the_first}
    return [TaskAssignee(user=user, **first.get(at, {})) for at, user in enumerate(named)]


@pytest.mark.parametrize(
    ("rule", "asked", "sentence"),
    [
        ({"any": 1}, people(3), "The first answer decides."),
        ({"all": True}, people(1), "The first answer decides."),
        ({"all": True}, people(3), "All 3 must approve; one refusal ends it."),
        ({"n": 2}, people(3), "2 of 3 must approve."),
        (
            {"n": 2},
            people(1),
            "2 must approve, but only 1 person can be asked: this cannot be approved.",
        ),
        ({"percent": 60}, people(5), "3 of 5 must approve."),
        ({"weight": 5}, people(3, weight=4), "Approvals must weigh 5 of 6 together."),
        (
            {"weight": 7},
            people(3, weight=4),
            "7 must approve, but only 3 people can be asked: this cannot be approved.",
        ),
        (
            {"majority": True},
            people(3),
            "When all 3 have answered, the majority decides; a tie is a rejection.",
        ),
        ({"any": 1, "rejection": {"n": 2}}, people(3), "One approval is enough. It takes 2"),
        ({"n": 2, "rejection": {"any": 1}}, people(3), "approve. One rejection ends it."),
        ({"all": True, "rejection": {"all": True}}, people(3), "All 3 must approve. It takes 3"),
        ({"n": 2, "rejection": {"weight": 5}}, people(3), "Rejections that weigh 5 together end"),
        ({"n": 2}, people(3, may_veto=True), "A rejection by Person 0 ends it."),
    ],
)
def test_the_rule_is_said_in_words(rule, asked, sentence):
    assert sentence in words.rule_sentence(rule, asked)


@pytest.mark.parametrize(
    ("rule", "asked", "approved", "rejected"),
    [
        ({"any": 1}, people(3), "", ""),
        ({"all": True}, people(3), ", once 3 have approved", ""),
        ({"n": 2}, people(3), ", once 2 have approved", ", once 2 have rejected"),
        ({"n": 4}, people(3), "", ""),
        ({"percent": 50}, people(4), ", once 2 have approved", ", once 3 have rejected"),
        ({"majority": True}, people(3), ", once all have answered", ", once all have answered"),
        ({"majority": True}, people(1), "", ""),
        ({"weight": 2}, people(3), ", once enough have said so", ", once enough have said so"),
        ({"any": 1, "rejection": {"n": 2}}, people(3), "", ", once 2 have rejected"),
    ],
)
def test_what_settles_it_where_one_answer_does_not(rule, asked, approved, rejected):
    found = words._conditions(rule, asked)
    assert (found.get("for", ""), found.get("against", "")) == (approved, rejected)
