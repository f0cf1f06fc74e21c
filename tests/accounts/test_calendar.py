"""The workspace's working calendar: who may set it, what it may say, what the trail keeps."""

import json
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts import queries
from apps.audit.models import AuditEvent
from apps.core import clock
from tests.support import people

DAY = [{"from": "08:30", "to": "12:00"}, {"from": "13:00", "to": "17:30"}]
WEEK = {
    "zone": "Europe/Berlin",
    "hours": [DAY, DAY, DAY, DAY, [{"from": "08:30", "to": "14:00"}], [], []],
    "holidays": [{"date": "2026-12-25", "name": "Christmas"}],
}


def ask(user, method="GET", body=None):
    return Client().generic(
        method,
        "/api/v1/calendar/",
        json.dumps(body) if body is not None else "",
        content_type="application/json",
        headers=people.bearer(user),
    )


def changes(workspace):
    return AuditEvent.objects.filter(workspace_id=workspace.pk, verb="settings.change")


class TestTheCalendar:
    def test_is_nine_to_five_in_the_workspaces_zone_where_nobody_set_one(self, acme, admin):
        acme.zone = "Europe/Paris"
        acme.save()
        shown = ask(admin).json()
        assert shown["zone"] == "Europe/Paris"
        assert shown["hours"] == [[{"from": "09:00", "to": "17:00"}]] * 5 + [[], []]
        assert shown["holidays"] == []
        assert queries.calendar_of(acme.pk).zone == "Europe/Paris"

    def test_is_replaced_as_a_whole_and_noted_once(self, acme, admin):
        assert ask(admin, "PUT", WEEK).json() == WEEK
        assert ask(admin).json() == WEEK
        found = queries.calendar_of(acme.pk)
        assert found.hours[4] == ((510, 840),)
        assert found.holidays == frozenset({date(2026, 12, 25)})
        assert ask(admin, "PUT", WEEK).status_code == 200
        (row,) = changes(acme)
        assert (row.target_type, row.target_id) == ("calendar", str(acme.pk))

    def test_puts_times_and_days_in_order(self, admin):
        mixed: Any = deepcopy(WEEK)
        mixed["hours"][0].reverse()
        mixed["holidays"].insert(0, {"date": "2027-01-01"})
        shown = ask(admin, "PUT", mixed).json()
        assert shown["hours"][0] == DAY
        assert [one["date"] for one in shown["holidays"]] == ["2026-12-25", "2027-01-01"]

    def test_may_go_until_midnight(self, admin):
        night = {**WEEK, "hours": [[{"from": "22:00", "to": "24:00"}], *[[]] * 6]}
        assert ask(admin, "PUT", night).json()["hours"][0][0]["to"] == "24:00"

    def test_is_for_whoever_manages_the_settings(self, acme, builder, approver):
        for person in (builder, approver):
            assert ask(person).status_code == 403
            assert ask(person, "PUT", WEEK).status_code == 403
        assert not changes(acme).exists()

    def test_of_another_workspace_is_its_own(self, acme, other, admin):
        ask(admin, "PUT", WEEK)
        stranger = people.person(other, "admin")
        assert ask(stranger).json()["zone"] == "UTC"

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"zone": "Mars/Olympus"}, "time zone"),
            ({"zone": "../../etc/passwd"}, "time zone"),
            ({"hours": [[]] * 7}, "Nobody ever works"),
            ({"hours": [DAY] * 6}, "seven days"),
            ({"hours": [DAY] * 8}, "seven days"),
            ({"hours": [[{"from": "17:00", "to": "09:00"}], *[[]] * 6]}, "Monday"),
            ({"hours": [[{"from": "09:00", "to": "09:00"}], *[[]] * 6]}, "ends before"),
            (
                {"hours": [[], [*DAY, {"from": "11:59", "to": "13:00"}], *[[]] * 5]},
                "On Tuesday two stretches of work overlap",
            ),
            ({"hours": [[{"from": "9:00", "to": "17:00"}], *[[]] * 6]}, "time of day"),
            ({"hours": [[{"from": "09:00", "to": "24:30"}], *[[]] * 6]}, "time of day"),
            ({"hours": [[{"from": "09:00", "to": "25:00"}], *[[]] * 6]}, "time of day"),
            ({"hours": [[{"from": "09:00"}], *[[]] * 6]}, ""),
            ({"hours": [DAY * 4, *[[]] * 6]}, "stretches"),
            ({"hours": "always"}, ""),
            ({"hours": [7] * 7}, ""),
            ({"holidays": [{"date": "2026-02-30"}]}, ""),
            ({"holidays": [{"date": "Christmas"}]}, ""),
            ({"holidays": [{"date": "2026-12-25", "name": "a\u0000b"}]}, ""),
            ({"holidays": [{"date": "2026-12-25", "name": "x" * 101}]}, ""),
            ({"holidays": [{"date": "2026-12-25"}] * 2}, "twice"),
            ({"holidays": None}, ""),
        ],
    )
    def test_that_nobody_can_work_by_is_refused(self, acme, admin, change, said):
        answer = ask(admin, "PUT", {**WEEK, **change})
        assert answer.status_code == 422
        assert said in answer.json()["detail"]
        assert not changes(acme).exists()

    def test_has_so_many_days_off(self, admin):
        days = [{"date": date.fromordinal(740_000 + day).isoformat()} for day in range(1001)]
        assert ask(admin, "PUT", {**WEEK, "holidays": days}).status_code == 422
        assert ask(admin, "PUT", {**WEEK, "holidays": days[1:]}).status_code == 200


class TestACalendarByWhichNobodyWorks:
    @pytest.fixture
    def days(self):
        """Every day of more than a year."""
        first = clock.now().date()
        return [{"date": (first + timedelta(days=n)).isoformat(), "name": ""} for n in range(400)]

    def test_is_refused_where_it_is_kept(self, admin, days):
        answer = ask(admin, "PUT", {**WEEK, "holidays": days})
        assert answer.status_code == 422
        assert "within the next year" in answer.json()["detail"]

    def test_is_fine_where_somebody_works_in_a_year(self, admin, days):
        assert ask(admin, "PUT", {**WEEK, "holidays": days[:300]}).status_code == 200
