"""Flows that run other flows: which one is meant, what it takes and gives, and who relies on it.

A contract is ``settings.contract``: ``{input, output}``, JSON Schemas. The contract that a caller
relies on is that of the version of the called flow that was the newest when the caller was
published; a later version is compatible if it takes the same or more, and gives the same or less
(see ``steps.contracts.accepts_all``).
"""

from collections import deque
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from apps.core.errors import ProductError
from apps.flows.compiled import compiled
from apps.flows.models import Flow, FlowState, FlowVersion
from apps.steps.contracts import accepts_all
from apps.steps.findings import Finding, at, pointer
from apps.steps.fit import World, value_findings, world_of
from apps.steps.texts import one_line

KIND = "subflow"
MOST_CALLERS = 5
#: Where a flow leads to more flows than this, no circle is looked for.
MOST_FLOWS_OF_A_CIRCLE = 50


class CannotCall(ProductError):
    """The flow that is to be run cannot be; ``code`` says why."""

    status = 409

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def called_flow(workspace_id: UUID, named: str) -> Flow:
    """The flow of a workspace with that id, or that exact name.

    Raises:
        CannotCall: ``unknown_flow``: there is none, or several are called so.
    """
    here = Flow.objects.for_workspace(workspace_id)
    try:
        found = list(here.filter(pk=UUID(named)))
    except ValueError:
        found = list(here.filter(name=named).exclude(state=FlowState.ARCHIVED)[:2])
    if len(found) == 1:
        return found[0]
    if found:
        why = f"Several flows are called “{one_line(named)}”; name the one by its id."
    else:
        why = f"There is no flow “{one_line(named)}” in this workspace."
    raise CannotCall("unknown_flow", why)


def called_version(flow: Flow, version: str | int, caller_version_id: UUID) -> UUID:
    """The version of the flow that a step of the caller's version runs now.

    Raises:
        CannotCall: ``flow_not_running``, ``unknown_version`` or ``contract_changed``.
    """
    if flow.state == FlowState.ARCHIVED:
        raise CannotCall("flow_not_running", f"The flow “{flow.name}” is archived.")
    if version != "latest":
        pinned = flow.versions.filter(number=version).values_list("pk", flat=True).first()
        if pinned is None:
            raise CannotCall("unknown_version", f"“{flow.name}” has no version {version}.")
        return pinned
    if flow.active_version_id is None:
        raise CannotCall("flow_not_running", f"Nothing of the flow “{flow.name}” is published.")
    before = relied_on(caller_version_id, flow.pk)
    if before is not None and (why := broken(before, contract_of(flow.active_version_id))):
        raise CannotCall(
            "contract_changed",
            f"“{flow.name}” {why} than when this flow was published; publish this flow again"
            " once it fits, or name a version.",
        )
    return flow.active_version_id


def contract_of(version_id: UUID) -> Mapping[str, Any]:
    """What a version takes and gives."""
    return _contract(compiled(version_id).settings)


@lru_cache(maxsize=4096)
def relied_on(caller_version_id: UUID, flow_id: UUID) -> Mapping[str, Any] | None:
    """The contract of a flow that a caller's version was published with; both never change."""
    caller = FlowVersion.objects.only("created_at").get(pk=caller_version_id)
    version = (
        FlowVersion.objects.filter(flow_id=flow_id, created_at__lte=caller.created_at)
        .order_by("-number")
        .values_list("pk", flat=True)
        .first()
    )
    return None if version is None else contract_of(version)


def broken(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What a later contract breaks, in words; empty where it is compatible."""
    if not accepts_all(after.get("input"), before.get("input")):
        return "now asks for something else"
    if not accepts_all(before.get("output"), after.get("output") or {}):
        return "now gives something else"
    return ""


def call_findings(flow: Flow, document: Mapping[str, Any]) -> Iterator[Finding]:
    """Flows that are named and are not there, and callers that this document would break."""
    world = world_of(document)
    for step_id, config in _calls(document):
        named, path = config.get("flow"), ("steps", step_id, "config", "flow")
        if not isinstance(named, str) or not named:
            continue
        try:
            other = called_flow(flow.workspace_id, named)
        except CannotCall as wrong:
            fix = "Name a flow of this workspace by its name or its id."
            yield Finding("unknown_flow", "error", wrong.message, fix, step_id, pointer(path))
            continue
        version = config.get("version", "latest")
        yield from _version_findings(flow, other, step_id, version)
        if other.pk != flow.pk:
            yield from _input_findings(other, step_id, config, world)
        if config.get("wait", True) is not False:
            yield from _waits_for_itself(flow, other, document, step_id)
    yield from _broken_callers(flow, document)


def _version_findings(flow: Flow, other: Flow, step_id: str, version: object) -> Iterator[Finding]:
    path = pointer(("steps", step_id, "config", "version"))
    if isinstance(version, int) and not other.versions.filter(number=version).exists():
        message = f"“{one_line(other.name)}” has no version {version}."
        yield Finding(
            "unknown_flow_version", "error", message, "Name one that is there.", step_id, path
        )
    elif other.pk != flow.pk and (
        other.active_version_id is None or other.state == FlowState.ARCHIVED
    ):
        yield Finding(
            "flow_not_published",
            "warning",
            f"“{one_line(other.name)}” cannot be run: it is not published, or is archived.",
            "Publish it first; until then this step fails.",
            step_id,
            path,
        )


def _waits_for_itself(
    flow: Flow, other: Flow, document: Mapping[str, Any], step_id: str
) -> Iterator[Finding]:
    """A run under a limit that waits for another one under the same limit, and holds its place."""
    limit = at(document, "settings", "concurrency")
    most = limit.get("max") if isinstance(limit, Mapping) else None
    if not isinstance(most, int) or isinstance(most, bool):
        return
    through = _way_back(flow, other)
    if through is None:
        return
    again = f" again, through {through}" if through else ""
    path = pointer(("steps", step_id, "config", "flow"))
    fix = "Let the step not wait, take the limit of runs away, or put this part into another flow."
    if most == 1 and not limit.get("key"):
        message = (
            "At most one run of this flow is under way at once, and this step waits for another"
            f" one{again}: neither would ever go on."
        )
        yield Finding("waits_for_itself", "error", message, fix, step_id, path)
        return
    message = (
        "A run holds its place under the limit of this flow's runs while this step waits for"
        f" another run of it{again}: with no place left, none of them goes on."
    )
    yield Finding("waits_for_itself", "warning", message, fix, step_id, path)


def _way_back(flow: Flow, other: Flow) -> str | None:
    """Through which flows that wait, as they are published, a call leads back; None where not."""
    ways: deque[tuple[Flow, str]] = deque([(other, "")])
    seen = {other.pk}
    while ways and len(seen) <= MOST_FLOWS_OF_A_CIRCLE:
        at_, through = ways.popleft()
        if at_.pk == flow.pk:
            return through
        if at_.active_version_id is None:
            continue
        further = f"{through}, “{one_line(at_.name)}”" if through else f"“{one_line(at_.name)}”"
        for _, config in _calls(FlowVersion.objects.get(pk=at_.active_version_id).document):
            if config.get("wait", True) is False:
                continue
            try:
                called = called_flow(flow.workspace_id, str(config.get("flow")))
            except CannotCall:
                continue
            if called.pk not in seen:
                seen.add(called.pk)
                ways.append((called, further))
    return None


def _input_findings(
    other: Flow, step_id: str, config: Mapping[str, Any], world: World
) -> Iterator[Finding]:
    """Names that the other flow asks for and is not given, and what does not fit."""
    version, given = config.get("version", "latest"), config.get("input")
    found = other.versions.filter(number=version) if isinstance(version, int) else None
    version_id = other.active_version_id if found is None else None
    if found is not None:
        version_id = found.values_list("pk", flat=True).first()
    asked = contract_of(version_id).get("input") if version_id else None
    required = asked.get("required") if isinstance(asked, Mapping) else None
    names = given if isinstance(given, Mapping) else {}
    for name in required if isinstance(required, list) else ():
        if name not in names:
            yield Finding(
                "missing_input",
                "error",
                f"“{one_line(other.name)}” asks for “{one_line(str(name))}”, and is not given it.",
                "Say what it is given.",
                step_id,
                pointer(("steps", step_id, "config", "input")),
            )
    if isinstance(asked, Mapping):
        path = ("steps", step_id, "config", "input")
        yield from value_findings(names, asked, world, path, step=step_id)


def _broken_callers(flow: Flow, document: Mapping[str, Any]) -> Iterator[Finding]:
    """Active versions of other flows that rely on a contract which this document breaks."""
    after = _contract(document.get("settings"))
    names = []
    for version in _calling(flow):
        before = relied_on(version.pk, flow.pk)
        if before is not None and broken(before, after):
            names.append(version.flow.name)
    if names:
        shown = ", ".join(f"“{one_line(name)}”" for name in sorted(names)[:MOST_CALLERS])
        more = f" and {len(names) - MOST_CALLERS} more" if len(names) > MOST_CALLERS else ""
        yield Finding(
            "breaks_callers",
            "warning",
            f"What this flow takes or gives no longer fits {shown}{more}, which run it.",
            "Their steps will fail: take less away, or publish them anew afterwards.",
            path="/settings/contract",
        )


def _calling(flow: Flow) -> Iterator[FlowVersion]:
    """The active versions of other flows that run the latest version of this one."""
    active = FlowVersion.objects.filter(
        workspace_id=flow.workspace_id,
        pk__in=Flow.objects.for_workspace(flow.workspace_id)
        .exclude(pk=flow.pk)
        .exclude(state=FlowState.ARCHIVED)
        .values("active_version"),
    )
    naming = active.extra(where=["document::text like %s"], params=[f'%"{KIND}"%'])
    for version in naming.select_related("flow"):
        for _, config in _calls(version.document):
            is_meant = config.get("flow") in {str(flow.pk), flow.name}
            if is_meant and config.get("version", "latest") == "latest":
                yield version
                break


def _calls(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    steps = document.get("steps")
    for step_id, step in steps.items() if isinstance(steps, Mapping) else ():
        if isinstance(step, Mapping) and step.get("type") == KIND:
            config = step.get("config")
            yield step_id, config if isinstance(config, Mapping) else {}


def _contract(settings: object) -> Mapping[str, Any]:
    found = at(settings, "contract") if isinstance(settings, Mapping) else None
    return found if isinstance(found, Mapping) else {}
