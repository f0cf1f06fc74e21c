"""Tasks that are filled into the inbox are such as the product makes: they are listed and counted."""

import pytest

from apps.flows.checks import findings_of
from apps.inbox import lists, queries
from apps.inbox.lists import Wanted
from apps.inbox.models import UserTask
from tests.inbox.support import Desk
from tests.tools.test_seeding import connection_url
from tools import bench_inbox, seeding_inbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_they_are_listed_counted_and_found():
    desk = Desk()
    desk.team("finance", "ada", "bob")
    task = desk.ask(assignees={"users": [], "groups": ["finance"]})
    seeding_inbox.fill(connection_url(), str(task.pk), 25)
    ada = desk.actor(desk.someone("ada"))
    assert queries.count_open(ada) == lists.count_in(ada, Wanted("groups")) == 26
    assert lists.count_in(ada, Wanted(search="Filled in 7")) == 1
    assert len(set(UserTask.objects.values_list("run_id", flat=True))) == 26
    newest = [one.title for one in queries.open_tasks(ada)[:3]]
    assert newest == ["Filled in 25", "Filled in 24", "Filled in 23"]
    assert [one.seen for one in queries.open_tasks(ada)[:1]] == [task.seen]


def test_what_the_bench_asks_is_a_flow_without_errors():
    desk = Desk()
    document = bench_inbox.asking("inbox", groups=["approver"])
    version = desk.publish(document)
    assert [one for one in findings_of(version.flow, document) if one.severity == "error"] == []
