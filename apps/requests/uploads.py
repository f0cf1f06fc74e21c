"""Every write about files: uploading, checking, attaching to a request, forgetting."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from apps.accounts.actors import Actor
from apps.audit.commands import record
from apps.audit.records import Target, Who
from apps.core import clock, outbox
from apps.core.errors import Conflict, Invalid, NotFound, ProductError
from apps.requests import scanning, sniffing, storage
from apps.requests.models import FILE_TRANSITIONS, File, FileState
from apps.requests.permissions import may_read, require_asking
from apps.requests.queries import get_form
from apps.steps import forms
from apps.steps.contracts import Misfit
from apps.triggers.models import Trigger

#: Of a file whose field names no limit of its own, and the most that any may say.
MAX_BYTES = 10 * 1024 * 1024
#: What one person may have uploaded and not sent.
MOST_UNSENT = 50
MOST_UNSENT_BYTES = 100 * 1024 * 1024
#: One day longer than a draft that may name it.
UNSENT_KEPT = timedelta(days=31)
SCANNER = Who(kind="system", id="scanner", label="Scanner")


class TooLarge(ProductError):
    """The file is larger than its field takes."""

    code = "file_too_large"
    status = 413


class TooMany(Conflict):
    """So much that is not sent is kept for nobody."""

    code = "too_many_files"


class NotReadable(Conflict):
    """The file is being checked, or is held back."""

    code = "file_not_readable"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a field of files takes."""

    families: frozenset[str]
    bytes: int
    count: int

    @classmethod
    def of(cls, field: forms.Field) -> "Limits":
        """As the form says, within what anything may say."""
        schema = field.schema
        named = [one for one in schema.get("x-accept") or () if one in sniffing.FAMILIES]
        most_mb = schema.get("x-max-mb")
        size = int(most_mb * 1024 * 1024) if isinstance(most_mb, int) and most_mb > 0 else MAX_BYTES
        count = schema.get("maxItems")
        return cls(
            frozenset(named or sniffing.FAMILIES),
            min(size, MAX_BYTES),
            min(count, forms.MOST_FILES) if isinstance(count, int) else forms.MOST_FILES,
        )


def upload_file(
    *, actor: Actor, flow_id: UUID, field: str, name: str, content: bytes, now: datetime
) -> File:
    """Take a file for a field of a form that the actor may fill in. It is sent with the request.

    Raises:
        NotFound: There is no such form for the actor, or it has no such field.
        TooLarge: It is larger than the field takes.
        FileRefused: It is of a kind that is not taken, or cannot be read.
        TooMany: The actor has uploaded too much without sending it.
    """
    person = require_asking(actor)
    form = get_form(actor, flow_id)
    known = known_for(form, field, name, content)
    with transaction.atomic():
        _hold_back(person)
        file = _keep(form, known, person, now)
        record(
            who=actor.who,
            workspace_id=actor.workspace_id,
            verb="file.upload",
            target=Target("file", str(file.pk), file.name),
            details={"sha256": file.sha256, "type": file.type, "size": file.size},
            flow_id=flow_id,
            now=now,
        )
    return file


def known_for(form: Trigger, field: str, name: str, content: bytes) -> sniffing.Known:
    """The file as it may be kept, where the field takes it.

    Raises:
        NotFound, TooLarge, FileRefused: As :func:`upload_file`.
    """
    fields = forms.fields_of(form.config.get("form"))
    asked = next((one for one in fields if one.name == field and one.kind == "files"), None)
    if asked is None:
        raise NotFound("The form asks for no such files.")
    limits = Limits.of(asked)
    if len(content) > limits.bytes:
        raise TooLarge(
            f"The file is too large: at most {limits.bytes // (1024 * 1024)} MB are taken."
        )
    known = sniffing.know(content, name)
    if known.family not in limits.families:
        raise sniffing.FileRefused("This field does not take files of this kind.")
    return known


@transaction.atomic
def discard_file(*, actor: Actor, file_id: UUID) -> None:
    """Throw away a file that the actor has uploaded and not sent.

    Raises:
        NotFound: It is not the actor's, or was sent.
    """
    person = require_asking(actor)
    mine = File.objects.for_workspace(actor.workspace_id).filter(
        pk=file_id, person=person, run_id__isnull=True
    )
    if not _delete(mine):
        raise NotFound("There is no such file, or it was sent already.")


def keep_public(form: Trigger, known: sniffing.Known, now: datetime) -> File:
    """Keep a file that somebody sends by a public page, in the caller's transaction."""
    return _keep(form, known, None, now)


def resolve(
    form: Trigger, answers: Mapping[str, Any], person: UUID | None
) -> tuple[dict[str, Any], list[File], list[Misfit]]:
    """The answers with what is kept of each file, the files, and which cannot be sent.

    A file counts only where this person uploaded it for this form and has not sent it yet.

    Locks:
        The files.
    """
    found, files, wrong = dict(answers), list[File](), list[Misfit]()
    for field in forms.fields_of(form.config.get("form")):
        given = answers.get(field.name)
        if field.kind != "files" or not isinstance(given, list):
            continue
        limits = Limits.of(field)
        if len(given) > limits.count:
            wrong.append(Misfit(field.name, f"must have {limits.count} items at most"))
            continue
        shown = []
        for at, one in enumerate(given):
            file = _own(one, form, person, {each.pk for each in files})
            if file is None or file.family not in limits.families:
                wrong.append(Misfit(f"{field.name}.{at}", "is not there any more; attach it anew"))
                continue
            files.append(file)
            shown.append(as_answer(file))
        found[field.name] = shown
    return found, files, wrong


def attach(files: Iterable[File], run_id: UUID) -> None:
    """Let the files belong to a run, in the caller's transaction."""
    for file in files:
        File.objects.filter(pk=file.pk, run_id__isnull=True).update(run_id=run_id)


def as_answer(file: File) -> dict[str, Any]:
    """A file as answers, facts and evidence have it."""
    return {
        "id": str(file.pk),
        "name": file.name,
        "type": file.type,
        "size": file.size,
        "sha256": file.sha256,
    }


def open_file(*, actor: Actor, file_id: UUID, now: datetime) -> tuple[File, bytes]:
    """A file to be read, and its content; who has read it stands in the trail.

    Raises:
        NotFound: There is none, or not for the actor.
        NotReadable: It is being checked, or was found to be harmful.
    """
    file = File.objects.for_workspace(actor.workspace_id).filter(pk=file_id).first()
    if file is None or not may_read(actor, file):
        raise NotFound("There is no such file, or it is not for you.")
    if file.state == FileState.REFUSED:
        raise NotReadable("The file was found to be harmful and is held back.")
    if file.state != FileState.CLEAN:
        raise NotReadable("The file is still being checked; try again in a moment.")
    content = storage.read(file.workspace_id, file.sha256)
    with transaction.atomic():
        record(
            who=actor.who,
            workspace_id=actor.workspace_id,
            verb="file.read",
            target=Target("file", str(file.pk), file.name),
            details={"sha256": file.sha256},
            flow_id=file.flow_id,
            correlation_id=file.run_id,
            now=now,
        )
    return file, content


def check_file(payload: Mapping[str, Any]) -> None:
    """Ask the scanner about a file: the outbox's handler for ``file.check``.

    Raises:
        ScannerFailed: It gave no verdict; the outbox asks again.
    """
    file = File.objects.filter(pk=payload["file"], state=FileState.WAITING).first()
    if file is None:
        return
    verdict = scanning.scan(storage.read(file.workspace_id, file.sha256))
    with transaction.atomic():
        state = FileState.CLEAN if verdict.is_clean else FileState.REFUSED
        if not _move(file, state, verdict.said) or verdict.is_clean:
            return
        record(
            who=SCANNER,
            workspace_id=file.workspace_id,
            verb="file.quarantine",
            target=Target("file", str(file.pk), file.name),
            details={"sha256": file.sha256, "verdict": verdict.said},
            flow_id=file.flow_id,
            correlation_id=file.run_id,
            now=clock.now(),
        )


def forget_files(*, now: datetime) -> int:
    """Delete files that were never sent, after a while, with their content; returns how many."""
    old = File.objects.filter(run_id__isnull=True, created_at__lt=now - UNSENT_KEPT)
    return sum(_delete(File.objects.filter(pk=one.pk, run_id__isnull=True)) for one in old[:1000])


def forget_unsent(*, person: UUID, flow_id: UUID) -> None:
    """Delete what a person has uploaded for a form and not sent; the draft is gone."""
    _delete(File.objects.filter(person=person, flow=flow_id, run_id__isnull=True))


def _own(one: object, form: Trigger, person: UUID | None, taken: set[UUID]) -> File | None:
    try:
        file_id = UUID(str(one["id"] if isinstance(one, Mapping) else one))
    except (KeyError, ValueError):
        return None
    if file_id in taken:
        return None
    return (
        File.objects.for_workspace(form.workspace_id)
        .select_for_update()
        .filter(pk=file_id, person=person, flow=form.flow_id, run_id__isnull=True)
        .first()
    )


def _hold_back(person: UUID) -> None:
    unsent = File.objects.filter(person=person, run_id__isnull=True)
    size = unsent.aggregate(all=Sum("size"))["all"] or 0
    if unsent.count() >= MOST_UNSENT or size >= MOST_UNSENT_BYTES:
        raise TooMany("You have uploaded much that is not sent; send it or throw drafts away.")


def _keep(form: Trigger, known: sniffing.Known, person: UUID | None, now: datetime) -> File:
    storage.hold(form.workspace_id, storage.sha256_of(known.content))
    file = File.objects.create(
        workspace_id=form.workspace_id,
        flow_id=form.flow_id,
        person_id=person,
        name=known.name,
        family=known.family,
        type=known.type,
        size=len(known.content),
        sha256=storage.write(form.workspace_id, known.content),
        state=FileState.WAITING,
        created_at=now,
    )
    if scanning.is_set():
        outbox.enqueue(topic="file.check", payload={"file": str(file.pk)}, now=now)
    else:
        _move(file, FileState.CLEAN, "")
    return file


def _move(file: File, state: FileState, verdict: str) -> bool:
    if state not in FILE_TRANSITIONS[file.state]:
        return False
    rows = File.objects.filter(pk=file.pk, state=file.state).update(state=state, verdict=verdict)
    file.state = state
    return bool(rows)


@transaction.atomic
def _delete(rows: Any) -> int:
    """Delete rows, and content that no other row names."""
    found: Sequence[File] = list(rows.select_for_update())
    for file in found:
        storage.hold(file.workspace_id, file.sha256)
        file_id, workspace_id, sha256 = file.pk, file.workspace_id, file.sha256
        file.delete()
        same = File.objects.for_workspace(workspace_id).filter(sha256=sha256)
        if not same.exclude(pk=file_id).exists():
            storage.remove(workspace_id, sha256)
    return len(found)


def most_bytes() -> int:
    """The largest body that an upload may have, with what forms add to it."""
    return MAX_BYTES + 64 * 1024


def require_size(length: object) -> None:
    """Refuse a body that is too large before it is read.

    Raises:
        TooLarge: It is, or it does not say how large it is.
    """
    text = str(length or "")
    if not text.isdigit() or int(text) > most_bytes():
        raise TooLarge(f"The file is too large: at most {MAX_BYTES // (1024 * 1024)} MB are taken.")


def hold_name(name: str) -> str:
    """The name that a form sends.

    Raises:
        Invalid: There is none, or it is far too long.
    """
    if not name or len(name) > 1000 or "\0" in name:
        raise Invalid("The file needs a name of at most 1,000 characters.")
    return name
