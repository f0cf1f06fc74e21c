"""The list of runs by time: what is far from the times asked for is not read."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.errors import Invalid
from apps.core.models import first_uuid7_at
from apps.runs import queries
from apps.runs.models import Run

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)


@pytest.fixture
def runs(workspace):
    """Three runs, an hour apart; the clock that made their ids is 20 minutes behind."""
    made = []
    for hour in range(3):
        at = NOON + timedelta(hours=hour)
        id_ = first_uuid7_at(int((at - timedelta(minutes=20)).timestamp() * 1000))
        times = {"created_at": at, "started_at": at, "finished_at": at, "updated_at": at}
        ids = {"workspace_id": workspace.pk, "flow_id": id_, "version_id": id_}
        made.append(
            Run.objects.create(
                id=id_,
                status="completed",
                trigger_type="manual",
                correlation_id=id_,
                **ids,
                **times,
            )
        )
    return made


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"from": "2026-11-10T13:00:00Z"}, [1, 2]),
        ({"to": "2026-11-10T13:00:00Z"}, [0]),
        ({"from": "2026-11-10T12:30:00Z", "to": "2026-11-10T13:30:00Z"}, [1]),
        ({"from": "0001-01-01T00:00:00Z"}, [0, 1, 2]),
        ({"from": "9999-12-31T23:59:59Z"}, []),
        ({"to": "9999-12-31T23:59:59Z"}, [0, 1, 2]),
        ({"to": "0001-01-01T00:00:00"}, []),
    ],
)
@pytest.mark.parametrize("may_run_ahead", [False, True])
def test_from_and_to_go_by_the_time_of_the_run(runs, settings, asked, found, may_run_ahead):
    settings.TEST_CLOCK = may_run_ahead
    listed = queries.filtered(Run.objects.order_by("id"), asked)
    assert list(listed) == [runs[at] for at in found]


def test_the_ids_bound_what_is_read(runs, settings):
    settings.TEST_CLOCK = False
    with CaptureQueriesContext(
        connection,
    ) as sent:
        list(queries.filtered(Run.objects.all(), {"from": "2026-11-10T13:00:00Z"}))
    assert '"run"."id" >=' in sent[-1]["sql"]


def test_where_the_test_clock_ran_ahead_a_run_is_found_by_its_own_time(runs, settings):
    settings.TEST_CLOCK = True
    later = NOON + timedelta(days=90)
    Run.objects.filter(pk=runs[2].pk).update(created_at=later)
    listed = queries.filtered(Run.objects.all(), {"from": "2027-01-01T00:00:00Z"})
    assert [one.pk for one in listed] == [runs[2].pk]


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "1e9", "\0"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(Invalid, match="is not a time"):
        queries.filtered(Run.objects.all(), {"from": text})
