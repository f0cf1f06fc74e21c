"""Whom a run waits for, since when and until when."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.inbox import commands
from apps.runs import queries
from apps.runs.models import Run

pytestmark = pytest.mark.django_db


def why(task):
    (reason,) = queries.waiting_for(Run.objects.get(pk=task.run_id))
    return reason


def test_people_by_name_with_the_task_and_its_times(desk):
    task = desk.ask_named("ada", "ben", rule={"all": True})
    reason = why(task)
    assert (reason["kind"], reason["step"], reason["task"]) == ("person", "ask", task.pk)
    assert reason["people"] == ["Ada", "Ben"]
    assert reason["groups"] == []
    assert (reason["since"], reason["until"]) == (task.opened_at, task.due_at)
    assert reason["until"] - reason["since"] == timedelta(days=2)
    assert reason["detail"] == "Waits for Ada, Ben."


def test_who_has_answered_is_not_waited_for_any_more(desk):
    task = desk.ask_named("ada", "ben", rule={"all": True})
    desk.decide(task, desk.someone("ada"))
    assert why(task)["people"] == ["Ben"]


def test_a_group_is_named_and_not_its_people(desk):
    desk.someone("ada")
    reason = why(desk.ask())
    assert (reason["people"], len(reason["groups"])) == ([], 1)
    assert reason["detail"] == f"Waits for {reason['groups'][0]}."


def test_who_has_left_is_not_waited_for(desk):
    task = desk.ask_named("ada", "ben", rule={"any": 1})
    desk.deactivate(desk.someone("ada"))
    commands.drop_leavers(now=clock.now())
    assert why(task)["people"] == ["Ben"]
