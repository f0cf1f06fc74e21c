"""Every combination of answers under every rule (engine rule 32). No database."""

from itertools import product

import pytest

from apps.inbox import rules, words

ANSWERS = ("approved", "rejected", None)
RULES = [{"any": 1}, {"all": True}, *({"n": n} for n in range(1, 5))]


def judged(rule, answers):
    return rules.verdict(
        rule,
        approvals=answers.count("approved"),
        rejections=answers.count("rejected"),
        undecided=answers.count(None),
    )


@pytest.mark.parametrize(
    ("rule", "answers", "expected"),
    [
        # any: the first answer decides
        ({"any": 1}, [None], None),
        ({"any": 1}, ["approved", None, None], "approved"),
        ({"any": 1}, ["rejected", None, None], "rejected"),
        # all
        ({"all": True}, [None, None], None),
        ({"all": True}, ["approved", None], None),
        ({"all": True}, ["approved", "approved"], "approved"),
        ({"all": True}, ["rejected", None], "rejected"),
        ({"all": True}, ["approved", "rejected"], "rejected"),
        # n
        ({"n": 1}, ["approved", None], "approved"),
        ({"n": 1}, ["rejected", None], None),
        ({"n": 1}, ["rejected", "rejected"], "rejected"),
        ({"n": 2}, ["approved", None, None], None),
        ({"n": 2}, ["rejected", None, None], None),
        ({"n": 2}, ["rejected", "approved", None], None),
        ({"n": 2}, ["approved", "approved", None], "approved"),
        ({"n": 2}, ["rejected", "rejected", None], "rejected"),
        ({"n": 2}, ["rejected", "approved", "approved"], "approved"),
        # leavers: those who are gone without an answer are not counted any more
        ({"all": True}, ["approved"], "approved"),
        ({"n": 2}, ["approved"], "rejected"),
        ({"n": 2}, [None], "rejected"),
        ({"n": 3}, ["approved", None], "rejected"),
        ({"any": 1}, [None, None], None),
    ],
)
def test_the_truth_table(rule, answers, expected):
    assert judged(rule, answers) == expected


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("people", range(1, 5))
def test_every_combination_leads_to_a_result_that_can_be_defended(rule, people):
    wanted = rules.needed(rule, people)
    for answers in product(ANSWERS, repeat=people):
        result = judged(rule, answers)
        approvals = answers.count("approved")
        if None not in answers:
            assert result is not None, (rule, answers)
        if result == "approved":
            assert approvals >= min(wanted, people), (rule, answers)
            assert approvals >= 1
        if result == "rejected" and "any" not in rule:
            assert approvals + answers.count(None) < wanted, (rule, answers)
        if set(answers) == {None}:
            assert result in ({None} if wanted <= people else {"rejected"})


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_an_answer_more_never_takes_a_result_back(rule):
    for answers in product(ANSWERS, repeat=4):
        before = judged(rule, answers)
        if before is None or "any" in rule:
            continue
        for index, answer in enumerate(answers):
            if answer is None:
                for later in ("approved", "rejected"):
                    assert judged(rule, (*answers[:index], later, *answers[index + 1 :])) == before


@pytest.mark.parametrize(
    ("rule", "people", "sentence"),
    [
        ({"any": 1}, 3, "The first answer decides."),
        ({"all": True}, 1, "The first answer decides."),
        ({"all": True}, 3, "All 3 must approve; one refusal ends it."),
        ({"n": 2}, 3, "2 of 3 must approve."),
        (
            {"n": 2},
            1,
            "2 must approve, but only 1 person can be asked: this cannot be approved.",
        ),
    ],
)
def test_the_rule_is_said_in_words(rule, people, sentence):
    assert words.rule_sentence(rule, people) == sentence
