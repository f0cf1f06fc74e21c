"""People's places from a table in a file: each line is judged, then all that hold are kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from apps.accounts import places, queries
from apps.accounts.actors import Actor
from apps.accounts.chart import Chart
from apps.accounts.commands.places import (
    Place,
    check_circle,
    check_day,
    check_place,
    keep_place,
)
from apps.accounts.models import Membership, Placement, User, Workspace
from apps.accounts.permissions import require
from apps.audit.commands import record
from apps.audit.records import Target
from apps.core.errors import Invalid, ProductError

LARGEST = 1024 * 1024
MOST_LINES = 5000
#: The columns there are. Only ``mail`` must be there; what is not there stays as it is.
COLUMNS = ("mail", "department", "manager", "deputy", "time_zone", "language", "from")


class NoTable(Invalid):
    """The file as a whole cannot be read."""

    code = "no_table"


@dataclass(slots=True)
class Line:
    """A line of the file and what became of it. ``problem`` is empty where it holds."""

    number: int
    mail: str
    problem: str = ""
    #: What it changes: ``{column: [before, after]}``.
    changes: dict[str, list[str]] = field(default_factory=dict)
    member: Membership | None = None
    day: date | None = None
    place: Place = field(default_factory=Place)
    language: str | None = None


def preview_import(*, actor: Actor, content: bytes, now: datetime) -> list[Line]:
    """What the file would do, line by line; nothing is changed.

    Raises:
        NoTable: It is too large, not UTF-8, or has no table of people in it.
    """
    require(actor, "people.manage")
    return _judged(actor, rows_of(content), now)


@transaction.atomic
def import_people(
    *, actor: Actor, content: bytes, skip_bad: bool, reason: str, now: datetime
) -> list[Line]:
    """Keep what the file says, in one action; one row of the trail tells of the whole.

    Raises:
        NoTable: It is too large, not UTF-8, or has no table of people in it.
        Invalid: A line does not hold and ``skip_bad`` is not said, or none holds.

    Locks:
        The workspace row.
    """
    require(actor, "people.manage")
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace_id)
    lines = _judged(actor, rows_of(content), now)
    good = [line for line in lines if not line.problem]
    if len(good) < len(lines) and not skip_bad:
        raise Invalid(
            f"{len(lines) - len(good)} of {len(lines)} lines do not hold; nothing was changed."
            " Put them right, or take over the others alone."
        )
    if not good:
        raise Invalid("No line of the file holds; nothing was changed.")
    changed = [line for line in good if line.changes]
    for line in changed:
        assert line.member is not None and line.day is not None  # noqa: PT018, S101 - judged
        keep_place(
            actor=actor,
            member=line.member,
            day=line.day,
            place=line.place,
            language=line.language,
            reason=reason,
            now=now,
        )
    record(
        who=actor.who,
        workspace_id=actor.workspace_id,
        verb="member.import",
        target=Target("workspace", str(workspace.pk), workspace.name),
        reason=reason,
        details={
            "lines": len(lines),
            "changed": len(changed),
            "left_out": [line.number for line in lines if line.problem],
        },
        now=now,
    )
    return lines


def rows_of(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """The lines of the file with their numbers, by the names of the columns.

    Raises:
        NoTable: It is too large, not UTF-8, or has no table of people in it.
    """
    if len(content) > LARGEST:
        raise NoTable(f"The file is larger than {LARGEST // 1024} KB; split it into several.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NoTable(
            "The file is not written in UTF-8. Save it again as “CSV UTF-8” and choose that one."
        ) from None
    if "\x00" in text:
        raise NoTable("This is no table of text; expected a CSV file.")
    first = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise NoTable(f"The file cannot be read as a table: {error}.") from None
    if not rows or "mail" not in (names := [name.strip().lower() for name in rows[0]]):
        raise NoTable(
            "The first line must name the columns, “mail” among them: " + ", ".join(COLUMNS) + "."
        )
    if unknown := [name for name in names if name not in COLUMNS]:
        raise NoTable(f"There is no column “{unknown[0][:40]}”; there are: {', '.join(COLUMNS)}.")
    if len(set(names)) < len(names):
        raise NoTable("A column is named twice; keep one of them.")
    if len(rows) > MOST_LINES + 1:
        raise NoTable(f"The file has more than {MOST_LINES} lines; split it into several.")
    return [
        (number, dict(zip(names, (*map(str.strip, row), *[""] * len(names)), strict=False)))
        for number, row in enumerate(rows[1:], start=2)
        if any(cell.strip() for cell in row)
    ]


def _judged(actor: Actor, rows: list[tuple[int, dict[str, str]]], now: datetime) -> list[Line]:
    judge = _Judge(actor.workspace_id, now)
    return [judge.line(number, row) for number, row in rows]


class _Judge:
    """Judges one line after the other, each with those before it taken as kept."""

    def __init__(self, workspace_id: UUID, now: datetime) -> None:
        self.today = places.today(workspace_id, now)
        self.members = {one.user.email: one for one in queries.members(workspace_id)}
        self.active = {
            one.pk for one in self.members.values() if one.is_active and one.user.is_active
        }
        self.chart: Chart = places.chart(workspace_id)
        self.known: dict[UUID, dict[date, Place]] = {}
        for row in Placement.objects.for_workspace(workspace_id).order_by("begins_on"):
            self.known.setdefault(row.membership_id, {})[row.begins_on] = Place.of(row)
        self.seen: dict[tuple[str, date], int] = {}

    def line(self, number: int, row: Mapping[str, str]) -> Line:
        """What becomes of this line."""
        line = Line(number, row["mail"].lower()[:254])
        try:
            self._judge(line, row)
        except ProductError as refused:
            line.problem = refused.message
        return line

    def _judge(self, line: Line, row: Mapping[str, str]) -> None:
        member = self._member(line.mail, "person")
        day = self._day(row.get("from", ""))
        if (first := self.seen.setdefault((line.mail, day), line.number)) != line.number:
            raise Invalid(f"Line {first} says something of the same person and day already.")
        before = self._before(member.pk, day)
        place = before
        if "manager" in row:
            place = replace(place, manager_id=self._other(row["manager"], "manager"))
        if "deputy" in row:
            place = replace(place, deputy_id=self._other(row["deputy"], "deputy"))
        place = replace(
            place,
            department=row.get("department", place.department),
            zone=row.get("time_zone", place.zone),
        )
        language = row.get("language") or None
        if language and language not in User.Language.values:
            raise Invalid(f"“{language[:20]}” is no language that the pages are written in.")
        check_place(member, place, self.active)
        check_day(day, self.today, is_known=bool(self.known.get(member.pk)))
        had, was = self._entry(member.pk, day)
        try:
            check_circle(self.chart, member, day, place.manager_id)
        except Invalid:
            # The chart goes on as if this line were not there.
            if had:
                self.chart.set(member.pk, day, was)
            else:
                self.chart.drop(member.pk, day)
            raise
        self.known.setdefault(member.pk, {})[day] = place
        line.member, line.day, line.place, line.language = member, day, place, language
        line.changes = dict(self._changes(member, before, place, language))

    def _member(self, mail: str, what: str) -> Membership:
        member = self.members.get(mail.strip().lower())
        if member is None:
            raise Invalid(f"There is no {what} “{mail[:80]}” in this workspace.")
        return member

    def _other(self, mail: str, what: str) -> UUID | None:
        return self._member(mail, what).pk if mail else None

    def _day(self, text: str) -> date:
        if not text:
            return self.today
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise Invalid(f"“{text[:20]}” is not a day; expected one like 2026-12-31.") from None

    def _before(self, member_id: UUID, day: date) -> Place:
        begun = [when for when in self.known.get(member_id, {}) if when <= day]
        return self.known[member_id][max(begun)] if begun else Place()

    def _entry(self, member_id: UUID, day: date) -> tuple[bool, UUID | None]:
        entry = self.known.get(member_id, {}).get(day)
        return entry is not None, entry.manager_id if entry else None

    def _changes(
        self, member: Membership, before: Place, after: Place, language: str | None
    ) -> Iterator[tuple[str, list[str]]]:
        mails = {one.pk: one.user.email for one in self.members.values()}
        for column, old, new in (
            ("department", before.department, after.department),
            ("manager", mails.get(before.manager_id, ""), mails.get(after.manager_id, "")),  # type: ignore[arg-type] # None is in no row
            ("deputy", mails.get(before.deputy_id, ""), mails.get(after.deputy_id, "")),  # type: ignore[arg-type] # None is in no row
            ("time_zone", before.zone, after.zone),
            ("language", member.user.language, language or member.user.language),
        ):
            if old != new:
                yield column, [old, new]
