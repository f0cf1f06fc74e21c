"""What a notice says, in the language that is in force. The user's words, never the engine's."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_noop

from apps.notices.models import Kind, Notice


@dataclass(frozen=True)
class _Sentences:
    """A kind's subject, what it says, what its button says, and what it says without a title."""

    subject: str
    sentence: str
    action: str
    plain: str


_SAID: dict[str, _Sentences] = {
    Kind.DECIDE: _Sentences(
        gettext_noop("To decide: %(title)s"),
        gettext_noop("A decision is put to you."),
        gettext_noop("Look at it and decide"),
        gettext_noop("A decision waits for you."),
    ),
    Kind.FILL_IN: _Sentences(
        gettext_noop("To fill in: %(title)s"),
        gettext_noop("You are asked to fill something in; it goes on when you have."),
        gettext_noop("Look at it and fill it in"),
        gettext_noop("You are asked to fill something in."),
    ),
    Kind.REMIND: _Sentences(
        gettext_noop("Still to decide: %(title)s"),
        gettext_noop("A decision still waits for you, and its time runs."),
        gettext_noop("Look at it and decide"),
        gettext_noop("A decision still waits for you."),
    ),
    Kind.LATE: _Sentences(
        gettext_noop("Time is over: %(title)s"),
        gettext_noop("The time for a decision is over."),
        gettext_noop("Look at it"),
        gettext_noop("The time for a decision is over."),
    ),
    Kind.ESCALATED: _Sentences(
        gettext_noop("Raised to you: %(title)s"),
        gettext_noop("A decision was raised to you because it was not made in time."),
        gettext_noop("Look at it and decide"),
        gettext_noop("A decision was raised to you."),
    ),
    Kind.CHANGED: _Sentences(
        gettext_noop("Has changed: %(title)s"),
        gettext_noop("Something that you had answered or taken has changed since."),
        gettext_noop("Look at it again"),
        gettext_noop("Something that you had answered or taken has changed."),
    ),
    Kind.QUESTION: _Sentences(
        gettext_noop("A question to you: %(title)s"),
        gettext_noop("Somebody who decides asks you for more. The decision waits for your answer."),
        gettext_noop("Read the question and answer"),
        gettext_noop("Somebody asks you a question."),
    ),
    Kind.ANSWER: _Sentences(
        gettext_noop("Answered: %(title)s"),
        gettext_noop("Your question has been answered. The decision waits for you again."),
        gettext_noop("Read the answer and decide"),
        gettext_noop("Your question has been answered."),
    ),
    Kind.BACK: _Sentences(
        gettext_noop("Came back to you: %(title)s"),
        gettext_noop("It was sent back to you to be put right."),
        gettext_noop("See what to put right"),
        gettext_noop("Something was sent back to you."),
    ),
    Kind.REQUEST: _Sentences(
        gettext_noop("Your request: %(title)s"),
        gettext_noop("There is news of what you asked for."),
        gettext_noop("See how it stands"),
        gettext_noop("There is news of what you asked for."),
    ),
    Kind.ALERT: _Sentences(
        gettext_noop("%(title)s"),
        gettext_noop("A flow that you look after needs looking at."),
        gettext_noop("Look at it"),
        gettext_noop("A flow that you look after needs looking at."),
    ),
    Kind.DIGEST: _Sentences(
        gettext_noop("What waits for you"),
        gettext_noop("This has come together for you."),
        gettext_noop("Open the inbox"),
        gettext_noop("This has come together for you."),
    ),
    Kind.TEST: _Sentences(
        gettext_noop("A test"),
        gettext_noop("This is a test that you asked for. There is nothing to do."),
        gettext_noop("Back to your notifications"),
        gettext_noop("This is a test that you asked for. There is nothing to do."),
    ),
}


def subject(notice: Notice) -> str:
    """What stands over a mail, or over a line in the app: one line, printable, 200 at most."""
    return one_line(gettext(_SAID[notice.kind].subject) % {"title": notice.title}, 200)


def sentence(notice: Notice) -> str:
    """Why the reader is told."""
    return gettext(_SAID[notice.kind].sentence)


def plain(notice: Notice) -> str:
    """The same without a name or fact in it, for screens that others may see."""
    return gettext(_SAID[notice.kind].plain)


def action(notice: Notice) -> str:
    """What the link says: what there is to do."""
    return gettext(_SAID[notice.kind].action)


def until(notice: Notice, zone: ZoneInfo) -> str:
    """By when, in the reader's own zone; empty without a limit."""
    return "" if notice.due_at is None else moment(notice.due_at, zone)


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A time in the reader's zone, which is named."""
    local = at.astimezone(zone)
    return f"{date_format(local, gettext('j F Y, H:i'))} ({zone.key.replace('_', ' ')})"


def one_line(text: str, length: int) -> str:
    """Text that can stand in a mail's header: one line, printable, not longer than that."""
    spaced = " ".join(text.split())
    clean = "".join(sign for sign in spaced if sign.isprintable())
    return clean if len(clean) <= length else clean[: length - 1] + "…"


def address(path: str) -> str:
    """The full address of one of our pages."""
    return str(settings.PUBLIC_URL).rstrip("/") + path


def time_until(until_: str) -> str:
    """By when, as a sentence."""
    return gettext("There is time until %(until)s.") % {"until": until_}
