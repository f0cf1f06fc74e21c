"""How the API says what happens in the time of a task."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from rest_framework import serializers

from apps.engine.lifecycle import TaskStatus
from apps.inbox import course
from apps.inbox.course import Stop
from apps.inbox.models import UserTask


class NextShape(serializers.Serializer[Any]):
    """What happens to an open task if nobody answers, and when."""

    at = serializers.DateTimeField()
    words = serializers.CharField()


class CourseStop(NextShape):
    """One thing on a task's way: ``done`` where it has happened."""

    done = serializers.BooleanField()


def next_shown(tasks: Collection[UserTask]) -> dict[UUID, dict[str, Any]]:
    """For the tasks of a page: what happens to each first."""
    return {pk: {"at": one.at, "words": one.text} for pk, one in course.next_of(tasks).items()}


def timed(task: UserTask) -> dict[str, Any]:
    """What a task says of its time beside the limit to decide."""
    is_open = task.status == TaskStatus.OPEN
    return {
        "respond_by": task.respond_by_at if is_open and task.responded_at is None else None,
        "course": [_shown(one) for one in course.course_of(task)],
    }


def _shown(one: Stop) -> dict[str, Any]:
    return {"at": one.at, "words": one.text, "done": one.is_done}
