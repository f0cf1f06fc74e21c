"""What those above say about what notices are about, registered when the product starts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.accounts.models import Membership, User
from apps.notices.models import Notice


@dataclass(frozen=True)
class About:
    """What is asked about a notice just before it leaves."""

    #: Whether it still matters to its reader.
    is_wanted: Callable[[Notice], bool]
    #: The path of a page on which the reader can decide without signing in, made for this one
    #: mail; empty where the page behind the sign-in is the only one.
    decision_path: Callable[[Notice, datetime], str]


Show = Callable[[Notice], None]

_tasks: list[About] = []
_show: list[Show] = []


def register_tasks(about: About) -> None:
    """Say who knows about tasks."""
    _tasks[:] = [about]


def register_app(show: Show) -> None:
    """Say who puts a notice before its reader in the app. Called again for one, shows it once."""
    _show[:] = [show]


def is_wanted(notice: Notice) -> bool:
    """Whether its reader is still there and it still matters."""
    if notice.user is not None and not is_here(notice.user, notice.workspace_id):
        return False
    return notice.task_id is None or not _tasks or _tasks[0].is_wanted(notice)


def is_here(user: User, workspace_id: UUID) -> bool:
    """Whether a person still belongs to the workspace."""
    if not user.is_active:
        return False
    rows = Membership.objects.for_workspace(workspace_id).filter(user=user, is_active=True)
    return user.is_superuser or rows.exists()


def decision_path(notice: Notice, now: datetime) -> str:
    """See ``About``."""
    return _tasks[0].decision_path(notice, now) if notice.task_id and _tasks else ""


def show(notice: Notice) -> None:
    """Put it before its reader in the app."""
    _show[0](notice)
