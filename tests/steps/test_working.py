"""Delays and approvals in working time."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.engine.working_time import STANDARD, Calendar
from apps.steps.outcomes import StepError
from apps.steps.registry import find
from apps.steps.working import after_working, working_moment

FRIDAY = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
PEOPLE = {"title": "May it go?", "assignees": {"groups": ["finance"]}}


class Context:
    now = FRIDAY
    zone = "UTC"
    calendar = STANDARD

    def __init__(self, value=None):
        self.value = value

    def evaluate(self, _expression):
        return self.value

    def requester(self):
        return ""


def outcome(kind, config, context=None):
    step_type = find(kind, 1)
    return step_type.run(step_type.config.model_validate(config), context or Context())


def flaws(kind, config):
    check = find(kind, 1).check
    assert check is not None
    return [flaw.code for flaw in check(config)]


class TestADuration:
    @pytest.mark.parametrize(
        ("text", "end"),
        [
            ("PT8H", "2026-11-23T15:00"),
            ("PT30M", "2026-11-20T15:30"),
            ("PT1.5S", "2026-11-20T15:00:01.500000"),
            ("P1D", "2026-11-23T15:00"),
            ("P2DT4H", "2026-11-25T11:00"),
            ("P0D", "2026-11-20T15:00"),
            ("PT0S", "2026-11-20T15:00"),
        ],
    )
    def test_counts_days_first_then_hours(self, text, end):
        found = after_working(STANDARD, FRIDAY, text)
        assert found == datetime.fromisoformat(end).replace(tzinfo=UTC)

    @pytest.mark.parametrize("text", ["P0D", "PT0S"])
    def test_of_nothing_is_the_next_working_moment(self, text):
        saturday = FRIDAY + timedelta(days=1)
        found = after_working(STANDARD, saturday, text)
        assert found == datetime(2026, 11, 23, 9, tzinfo=UTC)

    @pytest.mark.parametrize("text", ["P1W", "P1M", "P1Y", "P", "PT", "8 hours", "", "-PT1H", None])
    def test_is_days_hours_and_minutes(self, text):
        with pytest.raises(StepError) as refused:
            after_working(STANDARD, FRIDAY, text)
        assert refused.value.code == "bad_duration"

    @pytest.mark.parametrize("text", ["P9999999D", "PT99999999H", "P" + "9" * 50 + "D"])
    def test_has_an_end(self, text):
        with pytest.raises(StepError) as refused:
            after_working(STANDARD, FRIDAY, text)
        assert refused.value.code == "no_working_time"

    def test_where_nobody_works_is_told(self):
        free = frozenset(date(2026, 1, 1) + timedelta(days=day) for day in range(4100))
        with pytest.raises(StepError) as refused:
            working_moment(Calendar(holidays=free), FRIDAY)
        assert refused.value.code == "no_working_time"
        assert "settings" in refused.value.message


class TestADelay:
    def test_for_hours_leaves_out_the_weekend(self):
        assert outcome("delay", {"for": "PT8H"}).until == FRIDAY + timedelta(hours=8)
        found = outcome("delay", {"for": "PT8H", "business": True})
        assert found.until == datetime(2026, 11, 23, 15, tzinfo=UTC)
        assert found.output == {"until": "2026-11-23T15:00:00+00:00"}

    def test_until_a_moment_is_moved_to_the_next_working_one(self):
        config = {"until": "day", "business": True}
        saturday, monday = datetime(2026, 11, 21, 12, tzinfo=UTC), date(2026, 11, 23)
        nine = datetime(2026, 11, 23, 9, tzinfo=UTC)
        assert outcome("delay", config, Context(saturday)).until == nine
        assert outcome("delay", config, Context(monday)).until == nine
        assert outcome("delay", config, Context("2026-11-23T10:00:00Z")).until == nine.replace(
            hour=10
        )

    def test_of_weeks_is_found_before_it_runs(self):
        assert flaws("delay", {"for": "P1W"}) == []
        assert flaws("delay", {"for": "P1W", "business": True}) == ["bad_duration"]
        assert flaws("delay", {"for": "= trigger.body.time", "business": True}) == []


class TestAnApproval:
    def test_is_due_in_working_time(self):
        found = outcome("approval", {**PEOPLE, "due": "P2D", "business": True}).request
        assert found["due_at"] == "2026-11-24T15:00:00+00:00"
        plain = outcome("approval", {**PEOPLE, "due": "P2D"}).request
        assert plain["due_at"] == "2026-11-22T15:00:00+00:00"

    def test_without_a_limit_has_none(self):
        assert outcome("approval", {**PEOPLE, "business": True}).request["due_at"] is None

    def test_of_months_is_found_before_it_runs(self):
        assert flaws("approval", {**PEOPLE, "due": "P1M", "business": True}) == ["bad_duration"]
