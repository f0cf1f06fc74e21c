"""What several people's answers come to: every rule, by every combination of answers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations_with_replacement, permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.steps.deciding import (
    APPROVED,
    NOBODY,
    REJECTED,
    Choice,
    Rule,
    Terms,
    Voter,
    course,
    is_reachable,
    needed,
    undecidable,
    verdict,
)

YES, NO, OPEN, GONE = "yes", "no", "open", "gone"
STANDS = {
    YES: Voter(APPROVED),
    NO: Voter(REJECTED),
    OPEN: Voter(),
    GONE: Voter(is_gone=True),
}
#: Each rule told once more, by counts: yes, no, open, of so many who are not gone.
Oracle = Callable[[int, int, int, int], str | None]


def so_many(share: Callable[[int], int]) -> Oracle:
    def oracle(yes: int, _no: int, open_: int, here: int) -> str | None:
        if yes >= share(here):
            return APPROVED
        return REJECTED if yes + open_ < share(here) else None

    return oracle


def first(yes: int, no: int, _open: int, _here: int) -> str | None:
    return APPROVED if yes else REJECTED if no else None


def majority(yes: int, no: int, open_: int, _here: int) -> str | None:
    if open_:
        return None
    return APPROVED if yes > no else REJECTED


RULES: list[tuple[Rule, Oracle]] = [
    ({"any": 1}, first),
    ({"all": True}, so_many(lambda here: here)),
    ({"n": 1}, so_many(lambda _: 1)),
    ({"n": 2}, so_many(lambda _: 2)),
    ({"n": 3}, so_many(lambda _: 3)),
    ({"percent": 1}, so_many(lambda _: 1)),
    ({"percent": 50}, so_many(lambda here: (here + 1) // 2)),
    ({"percent": 60}, so_many(lambda here: -(-here * 6 // 10))),
    ({"percent": 100}, so_many(lambda here: here)),
    ({"weight": 2}, so_many(lambda _: 2)),
    ({"majority": True}, majority),
]
REJECTIONS: list[Rule | None] = [
    None,
    {"any": 1},
    {"all": True},
    {"n": 2},
    {"percent": 50},
    {"weight": 3},
]
THREE = (
    Choice("approved", "for"),
    Choice("with_changes", "for"),
    Choice("rejected", "against"),
    Choice("not_now", "against"),
)


def combinations(most: int = 4) -> Iterator[tuple[str, ...]]:
    for count in range(1, most + 1):
        yield from combinations_with_replacement(STANDS, count)


def voters(*stands: str) -> list[Voter]:
    return [STANDS[one] for one in stands]


@pytest.mark.parametrize(("rule", "oracle"), RULES, ids=[str(rule) for rule, _ in RULES])
def test_truth_table(rule: Rule, oracle: Oracle) -> None:
    for stands in combinations():
        yes, no, open_ = (stands.count(one) for one in (YES, NO, OPEN))
        here = len(stands) - stands.count(GONE)
        expected = NOBODY if not here else oracle(yes, no, open_, here)
        if not yes and expected == APPROVED:
            expected = None  # nothing is approved that nobody has approved
        assert verdict(Terms(rule), voters(*stands)) == expected, stands


@pytest.mark.parametrize("rejection", REJECTIONS, ids=str)
@pytest.mark.parametrize("rule", [rule for rule, _ in RULES], ids=str)
def test_every_combination_of_answers_and_absences_leads_to_a_result(
    rule: Rule, rejection: Rule | None
) -> None:
    for count in range(1, 5):
        asked = [Voter(weight=at + 1, may_veto=at == 1) for at in range(count)]
        assert not list(undecidable(Terms(rule, rejection), asked))
        assert not list(undecidable(Terms(rule, rejection, THREE), asked[:3]))


@pytest.mark.parametrize("rejection", REJECTIONS, ids=str)
@pytest.mark.parametrize("rule", [rule for rule, _ in RULES], ids=str)
def test_nothing_is_approved_that_nobody_has_approved(rule: Rule, rejection: Rule | None) -> None:
    for stands in combinations():
        if YES not in stands:
            assert verdict(Terms(rule, rejection), voters(*stands)) != APPROVED


@pytest.mark.parametrize("rule", [rule for rule, _ in RULES if "any" not in rule], ids=str)
def test_what_is_decided_stays_so_whatever_the_others_would_say(rule: Rule) -> None:
    for stands in combinations():
        found = verdict(Terms(rule), voters(*stands))
        if found is None:
            continue
        for later in product((YES, NO), repeat=stands.count(OPEN)):
            answers = iter(later)
            more = [next(answers) if one == OPEN else one for one in stands]
            assert verdict(Terms(rule), voters(*more)) == found, (stands, more)


def test_the_order_of_the_people_means_nothing() -> None:
    for rule, _ in RULES:
        for stands in combinations(3):
            found = {verdict(Terms(rule), voters(*order)) for order in permutations(stands)}
            assert len(found) == 1


class TestRejection:
    """A rule of its own for the other side."""

    @pytest.mark.parametrize(
        ("stands", "expected"),
        [
            ((NO, OPEN, OPEN), None),
            ((NO, NO, OPEN), REJECTED),
            ((YES, NO, OPEN), None),
            ((YES, NO, YES), REJECTED),  # all have answered, and it is not all
            ((YES, YES, YES), APPROVED),
            ((NO, GONE, GONE), REJECTED),
        ],
    )
    def test_two_against(self, stands: tuple[str, ...], expected: str | None) -> None:
        assert verdict(Terms({"all": True}, {"n": 2}), voters(*stands)) == expected

    def test_where_both_sides_have_what_they_need_it_is_rejected(self) -> None:
        """Two of four for it and one against it; then one who had not answered leaves."""
        terms = Terms({"percent": 60}, {"percent": 30})
        assert verdict(terms, voters(YES, YES, NO, OPEN)) is None
        assert verdict(terms, voters(YES, YES, NO, GONE)) == REJECTED

    def test_one_for_it_is_enough_where_any_decides_and_all_reject(self) -> None:
        terms = Terms({"any": 1}, {"all": True})
        assert verdict(terms, voters(NO, NO, OPEN)) is None
        assert verdict(terms, voters(NO, NO, NO)) == REJECTED
        assert verdict(terms, voters(NO, NO, YES)) == APPROVED


class TestVeto:
    @pytest.mark.parametrize("rule", [rule for rule, _ in RULES], ids=str)
    def test_it_rejects_alone_whatever_the_others_say(self, rule: Rule) -> None:
        veto = Voter(REJECTED, may_veto=True)
        for stands in combinations(3):
            assert verdict(Terms(rule), [veto, *voters(*stands)]) == REJECTED

    def test_who_may_veto_and_approves_counts_as_anybody(self) -> None:
        veto = Voter(APPROVED, may_veto=True)
        assert verdict(Terms({"all": True}), [veto, Voter()]) is None
        assert verdict(Terms({"all": True}), [veto, Voter(APPROVED)]) == APPROVED


class TestWeight:
    def test_people_count_by_what_they_weigh(self) -> None:
        terms, heavy = Terms({"weight": 5}), Voter(APPROVED, weight=5)
        assert verdict(terms, [heavy, Voter(REJECTED), Voter(REJECTED)]) == APPROVED
        assert verdict(terms, [replace(heavy, answer=""), Voter(APPROVED), Voter()]) is None
        assert verdict(terms, [replace(heavy, answer=REJECTED), Voter(), Voter()]) == REJECTED

    def test_a_percentage_is_of_people_not_of_weight(self) -> None:
        people = [Voter(APPROVED, weight=9), Voter(), Voter()]
        assert verdict(Terms({"percent": 50}), people) is None


class TestChoices:
    """Answers with names of their own."""

    def result(self, rule: Rule, *answers: str, weights: Mapping[str, int] | None = None) -> Any:
        people = [Voter(answer, weight=(weights or {}).get(answer, 1)) for answer in answers]
        return verdict(Terms(rule, choices=THREE), people)

    def test_the_side_is_found_first_and_then_its_weightiest_answer(self) -> None:
        assert self.result({"n": 2}, "with_changes", "with_changes", "approved") == "with_changes"
        assert self.result({"all": True}, "not_now", "approved") == "not_now"

    def test_where_two_weigh_the_same_the_first_listed_counts(self) -> None:
        assert self.result({"n": 2}, "with_changes", "approved") == "approved"

    def test_weight_decides_between_answers_of_one_side(self) -> None:
        found = self.result(
            {"weight": 3}, "approved", "with_changes", weights={"approved": 1, "with_changes": 2}
        )
        assert found == "with_changes"

    def test_more_for_it_than_against_it_whatever_the_names(self) -> None:
        assert self.result({"majority": True}, "approved", "with_changes", "rejected") == "approved"
        assert self.result({"majority": True}, "approved", "not_now") == "not_now"

    def test_an_impossible_approval_without_a_word_against_is_the_first_rejection(self) -> None:
        assert self.result({"n": 2}, "approved") == "rejected"


class TestWhatARuleNeeds:
    @pytest.mark.parametrize(
        ("rule", "people", "expected"),
        [
            ({"any": 1}, 5, 1),
            ({"all": True}, 5, 5),
            ({"all": True}, 0, 1),
            ({"n": 2}, 5, 2),
            ({"percent": 60}, 5, 3),
            ({"percent": 61}, 5, 4),
            ({"percent": "33.4"}, 3, 2),
            ({"percent": 1}, 0, 1),
            ({"majority": True}, 4, 3),
            ({"majority": True}, 5, 3),
            ({"weight": 7}, 5, 7),
        ],
    )
    def test_so_many(self, rule: Rule, people: int, expected: int) -> None:
        assert needed(rule, [Voter()] * people) == expected

    @pytest.mark.parametrize(
        ("rule", "people", "expected"),
        [
            ({"n": 3}, [Voter()] * 2, False),
            ({"n": 3}, [Voter()] * 3, True),
            ({"weight": 5}, [Voter(weight=2)] * 2, False),
            ({"weight": 4}, [Voter(weight=2)] * 2, True),
            ({"majority": True}, [Voter()], True),
        ],
    )
    def test_whether_it_can_be_approved_at_all(
        self, rule: Rule, people: list[Voter], expected: bool
    ) -> None:
        assert is_reachable(Terms(rule), people, "for") is expected
        assert is_reachable(Terms(rule), people, "against")

    def test_what_a_task_keeps_is_read_back(self) -> None:
        stored = {
            "n": 2,
            "rejection": {"any": 1},
            "choices": [{"port": "go", "side": "for"}, {"port": "no", "side": "against"}],
        }
        terms = Terms.of(stored)

        assert verdict(terms, [Voter("no"), Voter(), Voter()]) == "no"
        assert verdict(terms, [Voter("go"), Voter("go"), Voter()]) == "go"
        assert Terms.of({"any": 1}).choices == Terms({"any": 1}).choices


_VOTERS = st.lists(
    st.builds(
        Voter,
        answer=st.sampled_from(["", *(one.port for one in THREE)]),
        weight=st.integers(1, 9),
        may_veto=st.booleans(),
        is_gone=st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@given(
    people=_VOTERS,
    rule=st.one_of(
        st.just({"any": 1}),
        st.just({"all": True}),
        st.just({"majority": True}),
        st.builds(lambda n: {"n": n}, st.integers(1, 15)),
        st.builds(lambda share: {"percent": share}, st.integers(1, 100)),
        st.builds(lambda weight: {"weight": weight}, st.integers(1, 60)),
    ),
    rejection=st.sampled_from(REJECTIONS),
)
def test_any_number_of_people_comes_to_a_result(
    people: list[Voter], rule: Rule, rejection: Rule | None
) -> None:
    terms = Terms(rule, rejection, THREE)
    found = verdict(terms, people)
    is_over = all(one.answer or one.is_gone for one in people)

    assert found in {None, NOBODY, *(one.port for one in THREE)}
    assert found is not None or not is_over
    assert (found == NOBODY) == all(one.is_gone and not one.answer for one in people)


@pytest.mark.parametrize(
    "rule", [{"n": 2}, {"all": True}, {"percent": 50}, {"weight": 2}, {"majority": True}]
)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_two_people_at_least_always_comes_to_a_result_and_never_by_one(rule, count):
    terms = Terms({**rule, "at_least": 2})
    voters = [Voter(weight=3)] * count

    assert list(undecidable(terms, voters)) == []
    alone = [Voter("approved", weight=3), *voters[1:]]
    assert verdict(terms, alone) != "approved"


class TestStages:
    """One question after the other, each of its own people by its own rule."""

    @pytest.mark.parametrize("first", [rule for rule, _ in RULES], ids=str)
    @pytest.mark.parametrize("second", [rule for rule, _ in RULES], ids=str)
    def test_truth_table(self, first: Rule, second: Rule) -> None:
        for one, other in product(list(combinations(2)), repeat=2):
            asked = [(Terms(first), voters(*one)), (Terms(second), voters(*other))]
            begins, follows = (verdict(*stage) for stage in asked)
            expected = (1, follows) if begins == APPROVED else (0, begins)
            assert course(asked) == expected, (one, other)

    @pytest.mark.parametrize("rejection", REJECTIONS, ids=str)
    @pytest.mark.parametrize("rule", [rule for rule, _ in RULES], ids=str)
    def test_every_combination_of_answers_and_absences_leads_to_a_result(
        self, rule: Rule, rejection: Rule | None
    ) -> None:
        ways = [(YES, NO, GONE)] * 2
        for stands in product(*ways, *ways):
            stages = [
                (Terms(rule, rejection), voters(*stands[:2])),
                (Terms({"all": True}), voters(*stands[2:])),
            ]
            at, found = course(stages)
            assert found is not None
            assert at == 0 or found in {APPROVED, REJECTED, NOBODY}

    def test_nothing_is_approved_that_one_stage_has_not_approved(self) -> None:
        for stands in product((YES, NO, OPEN, GONE), repeat=3):
            found = course([(Terms({"any": 1}), voters(one)) for one in stands])
            assert (found == (2, APPROVED)) == (set(stands) == {YES})

    def test_a_name_of_its_own_goes_on_by_its_side(self) -> None:
        first = (Terms({"any": 1}, choices=THREE), [Voter("with_changes")])
        last = (Terms({"any": 1}, choices=THREE), [Voter("not_now")])

        assert course([first, last]) == (1, "not_now")
        assert course([last, first]) == (0, "not_now")


class TestSendingBack:
    """An answer that sends it back ends it at once."""

    FOUR = (*THREE, Choice("again", "back"))

    @pytest.mark.parametrize("rejection", REJECTIONS, ids=str)
    @pytest.mark.parametrize("rule", [rule for rule, _ in RULES], ids=str)
    def test_by_every_rule_and_whatever_the_others_say(
        self, rule: Rule, rejection: Rule | None
    ) -> None:
        terms = Terms(rule, rejection, self.FOUR)
        for stands in combinations(3):
            assert verdict(terms, [Voter("again"), *voters(*stands)]) == "again"

    @pytest.mark.parametrize("rule", [rule for rule, _ in RULES], ids=str)
    def test_leaves_no_combination_open(self, rule: Rule) -> None:
        for count in range(1, 4):
            assert not list(undecidable(Terms(rule, choices=self.FOUR), [Voter()] * count))

    def test_ends_a_question_of_several_stages(self) -> None:
        terms = Terms({"any": 1}, choices=self.FOUR)
        assert course([(terms, [Voter("again")]), (terms, [Voter("approved")])]) == (0, "again")
