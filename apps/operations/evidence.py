"""Evidence packs: what happened in a period, as one signed archive that verifies offline.

The archive holds lists for people (CSV and a page), the rows of the trail that they were made
from with the proof that each is sealed, the versions that were published, and the program that
checks all of it without us. ``docs/audit-format.md`` describes it.
"""

import csv
import io
import json
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.accounts.models import Workspace
from apps.accounts.queries import members
from apps.audit import format as audit_format
from apps.audit.bundle import bundle_of_period
from apps.audit.keys import signing_keys
from apps.audit.models import AuditUnsealed
from apps.audit.stored import StoredRow, json_object
from apps.audit.verbs import verb_words
from apps.core import clock
from apps.core.errors import NotFound
from apps.core.models import first_uuid7_at
from apps.engine import values
from apps.flows.models import Flow, FlowVersion
from apps.operations.models import TrailJob, TrailJobPart

__all__ = ["LISTS", "build_pack", "file_of"]

PIECE: Final = 1_000_000
#: How long a pack waits for rows of its period that are not sealed yet.
PATIENCE_S: Final = 15.0

#: Of each list what it holds, and the verbs whose rows are in it (a noun with a dot: all of it).
LISTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "changes": (
        gettext_noop("What was changed: flows, versions, settings, secrets, hosts"),
        (
            *("flow.", "settings.", "secret.", "host.", "destination.", "workspace.", "keys."),
            "clock.",
        ),
    ),
    "reviews": (gettext_noop("What people decided, and what ran out of time"), ("task.",)),
    "tests": (
        gettext_noop("What was tried before it counted: tests, samples, runs done again"),
        ("run.test", "sample.", "flow.test", "flow.check", "run.replay", "test."),
    ),
    "access": (
        gettext_noop("Who was let in, what they were given, what they took away"),
        (
            *("member.", "group.", "token.", "flow.grant", "sign_in.", "sign_out", "password."),
            *("session.", "export."),
        ),
    ),
    "exceptions": (
        gettext_noop("What left the usual way: refusals, stops, cancellations, erasures"),
        (
            *(
                "access.denied",
                "policy.",
                "sign_in.failure",
                "run.cancel",
                "run.pause",
                "run.resume",
            ),
            *("run.replay", "flow.pause", "flow.resume", "operations.", "audit.", "task.timeout"),
            *("task.drop", "task.escalate", "task.late", "clock."),
        ),
    ),
}

#: What each list is called on the page; its file keeps its name in every language.
_TITLES: Final[dict[str, str]] = {
    "changes": gettext_noop("Changes"),
    "reviews": gettext_noop("Reviews"),
    "tests": gettext_noop("Tests"),
    "access": gettext_noop("Access"),
    "exceptions": gettext_noop("Exceptions"),
}

_COLUMNS = (
    *("id", "at", "verb", "action", "actor", "actor_kind", "actor_id", "on_behalf_of", "target"),
    *("target_type", "target_id", "flow", "correlation_id", "reason", "before", "after", "details"),
    *("withheld", "seal", "place", "hash"),
)
_ACCESS_NOW = "access-now.csv"
_VERIFIER = "verify_audit.py"
_SHOWN_ON_PAGE = 500


@dataclass
class _Wanted:
    """What was asked for."""

    workspace: Workspace
    since: datetime
    until: datetime
    flow: Flow | None
    lists: tuple[str, ...]

    @classmethod
    def of(cls, job: TrailJob) -> "_Wanted":
        wanted = job.wanted
        workspace = Workspace.objects.get(pk=job.workspace_id)
        flow = None
        if wanted.get("flow"):
            flow = Flow.objects.filter(workspace=workspace, pk=wanted["flow"]).first()
            if flow is None:
                raise NotFound("The flow that the pack is about is not there any more.")
        lists = tuple(name for name in LISTS if name in wanted["lists"])
        since, until = (datetime.fromisoformat(wanted[name]) for name in ("from", "to"))
        return cls(workspace, since, until, flow, lists)

    def lists_with(self, row: StoredRow) -> list[str]:
        """The lists that a row belongs to."""
        if not self._since_text <= row.at < self._until_text:
            return []
        found = [name for name in self.lists if _is_named(row.verb, LISTS[name][1])]
        if self.flow is None or row.flow == str(self.flow.pk):
            return found
        # Who could do what to a flow also follows from rights in the whole workspace.
        return [name for name in found if name == "access" and not row.flow]

    def __post_init__(self) -> None:
        self._since_text = audit_format.time_text(self.since)
        self._until_text = audit_format.time_text(self.until)


@dataclass
class _List:
    """One list while it is written: a CSV, and the first rows for the page."""

    name: str
    file: IO[str]
    rows: int = 0
    first: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._csv = csv.DictWriter(self.file, _COLUMNS)
        self._csv.writeheader()

    def add(self, told: dict[str, Any]) -> None:
        self._csv.writerow({name: _cell(told[name]) for name in _COLUMNS})
        self.rows += 1
        if len(self.first) < _SHOWN_ON_PAGE:
            self.first.append(told)


def build_pack(job: TrailJob) -> dict[str, Any]:
    """Make the archive and keep it in the job's parts; returns what is in it.

    Raises:
        NotFound: The flow that it is about is gone.
    """
    wanted = _Wanted.of(job)
    now = clock.now()
    unsealed = _await_seals(min(wanted.until, now))
    with tempfile.TemporaryDirectory(prefix="sb-evidence-") as folder:
        path = Path(folder) / "pack.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, ExitStack() as stack:
            lists = {
                name: _List(
                    name,
                    stack.enter_context(
                        (Path(folder) / f"{name}.csv").open("w+", encoding="utf-8", newline="")
                    ),
                )
                for name in wanted.lists
            }
            result = _write(archive, job, wanted, lists, now)
        size, digest = _keep(job, path)
    return {**result, "bytes": size, "sha256": digest, "unsealed": unsealed}


def file_of(job: TrailJob) -> Iterator[bytes]:
    """The archive, piece by piece."""
    number = 0
    while True:
        part = TrailJobPart.objects.filter(job=job, number=number).first()
        if part is None:
            return
        yield bytes(part.content)
        number += 1


def _write(
    archive: zipfile.ZipFile,
    job: TrailJob,
    wanted: _Wanted,
    lists: dict[str, _List],
    now: datetime,
) -> dict[str, Any]:
    pack = _Archive(archive)
    made_by = job.asked_by.email

    def choose(row: StoredRow) -> bool:
        names = wanted.lists_with(row)
        if names:
            # It is made beside the request: in the language of whoever asked for it.
            with translation.override(job.asked_by.mail_language):
                told = _told(row)
            for name in names:
                lists[name].add(told)
        return bool(names)

    lines = bundle_of_period(
        wanted.workspace.pk,
        since=wanted.since,
        until=wanted.until,
        withhold=(),
        made_by=made_by,
        now=now,
        chosen=choose,
    )
    head = json.loads(pack.stream("trail.ndjson", lines))["bundle"]
    for one in lists.values():
        one.file.seek(0)
        pack.stream(f"{one.name}.csv", (line.encode() for line in one.file))
    if "access" in lists:
        pack.add(_ACCESS_NOW, _access_now(wanted.workspace))
    versions = _versions(wanted) if "changes" in lists else []
    for name, content in versions:
        pack.add(name, content)
    pack.add(_VERIFIER, (settings.BASE_DIR / "tools" / _VERIFIER).read_bytes())
    with translation.override(job.asked_by.mail_language):
        named = [name for name, _content in versions]
        about = _about(wanted, made_by, now, lists, head["seals"], named)
        page = render_to_string(
            "operations/evidence/index.html", {**about, "shown": _SHOWN_ON_PAGE}
        )
        readme = render_to_string("operations/evidence/readme.txt", about)
    pack.add("index.html", page.encode())
    pack.add("README.txt", readme.encode())
    pack.sign(
        {
            "format": audit_format.EVIDENCE_FORMAT,
            "workspace": str(wanted.workspace.pk),
            "flow": str(wanted.flow.pk) if wanted.flow else "",
            "from": audit_format.time_text(wanted.since),
            "to": audit_format.time_text(wanted.until),
            "made_at": audit_format.time_text(now),
            "made_by": made_by,
            "seals": head["seals"],
            "lists": {one.name: one.rows for one in lists.values()},
        }
    )
    last_day = wanted.until - timedelta(microseconds=1)
    return {
        "lists": {one.name: one.rows for one in lists.values()},
        "versions": len(versions),
        "seals": head["seals"],
        "name": f"evidence-{wanted.workspace.slug}-{wanted.since:%Y%m%d}-{last_day:%Y%m%d}.zip",
    }


class _Archive:
    """Files of the archive, each with its digest for the manifest."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._files: dict[str, dict[str, Any]] = {}

    def add(self, name: str, content: bytes) -> None:
        self.stream(name, [content])

    def stream(self, name: str, pieces: Any) -> bytes:
        """Write a file piece by piece; returns its first piece."""
        digest, size, first = sha256(), 0, b""
        with self._archive.open(name, "w", force_zip64=True) as file:
            for piece in pieces:
                first = first or piece
                digest.update(piece)
                size += len(piece)
                file.write(piece)
        self._files[name] = {"bytes": size, "sha256": digest.hexdigest()}
        return first

    def sign(self, manifest: dict[str, Any]) -> None:
        """Write the manifest over all files, and the signature beside it."""
        key = signing_keys()[0]
        whole = {**manifest, "files": self._files, "key": key.public.hex()}
        text = json.dumps(whole, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"
        self._archive.writestr("manifest.json", text)
        signature = key.sign_evidence(sha256(text).digest()).hex()
        self._archive.writestr("manifest.sig", signature + "\n")


def _about(  # noqa: PLR0917 - one call
    wanted: _Wanted,
    made_by: str,
    now: datetime,
    lists: dict[str, _List],
    seals: list[int],
    versions: list[str],
) -> dict[str, Any]:
    """What the page and the first file to read say."""
    return {
        "workspace": wanted.workspace.name,
        "flow": wanted.flow.name if wanted.flow else "",
        "since": f"{wanted.since.astimezone(UTC):%Y-%m-%d %H:%M}",
        "until": f"{wanted.until.astimezone(UTC):%Y-%m-%d %H:%M}",
        "made_by": made_by,
        "made_at": f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        "fingerprint": signing_keys()[0].fingerprint,
        "seals": seals,
        "versions": versions,
        "has_access": "access" in lists,
        "lists": [
            {
                "name": name,
                "title": _(_TITLES[name]),
                "about": _(LISTS[name][0]),
                "rows": one.rows,
                "first": one.first,
            }
            for name, one in lists.items()
        ],
    }


def _told(row: StoredRow) -> dict[str, Any]:
    """A row as a line of a list."""
    salted = json_object(row.salted)
    shown = {name: values.loads(pair[1]) for name, pair in salted.items()}

    def group(part: str) -> str:
        found = {
            name.removeprefix(f"{part}."): value
            for name, value in shown.items()
            if name.startswith(f"{part}.")
        }
        return values.dumps(found) if found else ""

    withheld = sorted(set(json_object(row.commitments)) - set(salted))
    return {
        "id": row.id,
        "at": row.at,
        "verb": row.verb,
        "action": verb_words(row.verb),
        "actor": shown.get("actor.label", ""),
        "actor_kind": row.actor_kind,
        "actor_id": row.actor_id,
        "on_behalf_of": row.on_behalf_of,
        "target": shown.get("target.label", ""),
        "target_type": row.target_type,
        "target_id": row.target_id,
        "flow": row.flow,
        "correlation_id": row.correlation_id,
        "reason": shown.get("reason", ""),
        "before": group("before"),
        "after": group("after"),
        "details": group("details"),
        "withheld": " ".join(withheld),
        "seal": row.seal,
        "place": row.place,
        "hash": row.leaf.hex(),
    }


def _access_now(workspace: Workspace) -> bytes:
    """Who may do what at the moment the pack is made."""
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow(["person", "name", "active", "roles and teams"])
    for one in members(workspace.pk):
        lines.writerow([_cell(value) for value in _member(one)])
    return text.getvalue().encode()


def _member(one: Any) -> tuple[str, str, str, str]:
    groups = " ".join(sorted(group["slug"] for group in one.groups))
    return one.user.email, one.user.name, "yes" if one.is_active else "no", groups


def _versions(wanted: _Wanted) -> list[tuple[str, bytes]]:
    """The versions that were published in the period, as they were published."""
    found = FlowVersion.objects.for_workspace(wanted.workspace.pk).filter(
        created_at__gte=wanted.since, created_at__lt=wanted.until
    )
    if wanted.flow is not None:
        found = found.filter(flow=wanted.flow)
    files = []
    for version in found.select_related("author", "flow").order_by("created_at").iterator(50):
        told = {
            "flow": str(version.flow_id),
            "name": version.flow.name,
            "number": version.number,
            "hash": version.hash,
            "author": version.author.email if version.author else "",
            "note": version.note,
            "created_at": audit_format.time_text(version.created_at),
            "document": version.document,
        }
        files.append(
            (f"versions/{version.flow_id}-{version.number}.json", values.dumps(told).encode())
        )
    return files


def _await_seals(until: datetime) -> int:
    """Wait a little for rows of the period that have no seal yet; how many still have none."""
    last = first_uuid7_at(int(until.timestamp() * 1000) + 1)
    waiting = AuditUnsealed.objects.filter(event_id__lt=last, refused=False)
    end = time.monotonic() + PATIENCE_S
    while (count := waiting.count()) and time.monotonic() < end:
        time.sleep(0.5)
    return count


def _keep(job: TrailJob, path: Path) -> tuple[int, str]:
    digest, size = sha256(), 0
    with path.open("rb") as file:
        for number, piece in enumerate(iter(lambda: file.read(PIECE), b"")):
            TrailJobPart.objects.create(job=job, number=number, content=piece)
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def _is_named(verb: str, verbs: tuple[str, ...]) -> bool:
    return any(verb == one or (one.endswith(".") and verb.startswith(one)) for one in verbs)


def _cell(value: Any) -> str:
    """A value for a table: what a spreadsheet would take for a formula is made text."""
    text = str(value if value is not None else "")
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
