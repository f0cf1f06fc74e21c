"""A flow that counts working time, where by a calendar of the workspace nobody works for a year."""

from datetime import timedelta

import pytest

from apps.accounts import calendars
from apps.accounts.models import OwnCalendar, Team, WorkingCalendar
from apps.core import clock
from apps.flows.working_checks import calendar_findings
from tests.support import people

pytestmark = pytest.mark.django_db


def document(**config):
    return {"steps": {"ask": {"type": "approval", "config": config}}}


def found(workspace, **config):
    return [(one.code, one.path) for one in calendar_findings(workspace.pk, document(**config))]


def nobody_works(now):
    """A calendar of old, from before such a one was refused where it is kept."""
    days = [{"date": (now + timedelta(days=n)).date().isoformat(), "name": ""} for n in range(400)]
    return {**calendars.standard("UTC"), "holidays": days}


@pytest.fixture
def acme():
    return people.make_workspace("acme")


@pytest.fixture
def closed(acme):
    now = clock.now()
    WorkingCalendar.objects.create(workspace=acme, content=nobody_works(now), updated_at=now)
    return acme


ROOT = "/steps/ask/config"


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"business": True}, "/business"),
        ({"respond_business": True}, "/respond_business"),
        (
            {"escalation": [{"when": {"after": "P1D", "business": True}}]},
            "/escalation/0/when/business",
        ),
    ],
    ids=str,
)
def test_every_part_that_counts_it_is_found(closed, config, path):
    assert found(closed, **config) == [("no_working_time", ROOT + path)]


@pytest.mark.parametrize("config", [{}, {"business": False}, {"due": "P2D"}, {"business": "yes"}])
def test_what_counts_by_the_wall_is_not(closed, config):
    assert found(closed, **config) == []


def test_a_team_that_is_asked_goes_by_its_own(acme):
    assert found(acme, business=True) == []
    now = clock.now()
    team = Team.objects.get(workspace=acme, slug="approver")
    OwnCalendar.objects.create(workspace=acme, team=team, content=nobody_works(now), updated_at=now)
    asked = {"groups": ["approver", "other", 7]}
    assert found(acme, business=True, assignees=asked) == [("no_working_time", f"{ROOT}/business")]
    assert found(acme, assignees=asked) == []


@pytest.mark.parametrize("steps", [None, [], {"ask": None}, {"ask": {"config": []}}])
def test_a_document_of_any_shape_is_read(acme, steps):
    assert list(calendar_findings(acme.pk, {"steps": steps})) == []
