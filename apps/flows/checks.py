"""A document judged as a whole: by its shape, by the workspace, and by the packages above."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from apps.accounts.models import Membership, Team
from apps.connections import addresses
from apps.connections.queries import allowed_hosts, may_go_to, secret_hosts
from apps.engine.feel.errors import nearest
from apps.flows import ports
from apps.flows.calls import call_findings
from apps.flows.models import Flow
from apps.flows.working_checks import calendar_findings
from apps.steps.check import CheckContext, check_document
from apps.steps.findings import Finding, at, is_template, pointer
from apps.steps.texts import one_line

#: After these nothing else can be said of the document.
HOPELESS = frozenset({"bad_document", "not_json", "too_large", "unknown_format"})


def findings_of(flow: Flow, document: object) -> list[Finding]:
    """Every finding about a document as this flow's, errors first."""
    findings = check_document(document, known=_known(flow.workspace_id))
    return _errors_first([*findings, *_of_this_workspace(flow, document, findings)])


def findings_now(flow: Flow, document: object) -> list[Finding]:
    """What stands against an older version today: secrets that are gone, an address taken since."""
    return _errors_first(_of_this_workspace(flow, document, []))


def _of_this_workspace(flow: Flow, document: object, so_far: list[Finding]) -> list[Finding]:
    if not isinstance(document, Mapping) or any(one.code in HOPELESS for one in so_far):
        return []
    return [
        *_secret_findings(flow.workspace_id, document),
        *call_findings(flow, document),
        *calendar_findings(flow.workspace_id, document),
        *ports.checked(flow=flow, document=document),
    ]


def _errors_first(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda one: one.severity != "error")


def _known(workspace_id: UUID) -> CheckContext:
    members = Membership.objects.for_workspace(workspace_id).filter(
        is_active=True, user__is_active=True
    )
    teams = Team.objects.for_workspace(workspace_id)
    return CheckContext(
        groups=frozenset(teams.values_list("slug", flat=True)),
        people=frozenset(members.values_list("user__email", flat=True)),
    )


def _secret_findings(workspace_id: UUID, document: Mapping[str, Any]) -> Iterator[Finding]:
    """Secrets that are not there or may not go where the step sends them; private addresses."""
    hosts = secret_hosts(workspace_id)
    signature = at(document, "trigger", "config", "signature")
    if isinstance(signature, Mapping) and signature.get("scheme", "none") != "none":
        at_secret = ("trigger", "config", "signature", "secret")
        yield from _known_secret(hosts, signature.get("secret"), "trigger", at_secret)
    steps = document.get("steps")
    allowed: set[tuple[str, int | None]] | None = None
    for step_id, step in steps.items() if isinstance(steps, Mapping) else ():
        config = step.get("config") if isinstance(step, Mapping) else None
        if not isinstance(config, Mapping):
            continue
        target = _target(config.get("url"))
        root: tuple[str | int, ...] = ("steps", step_id, "config")
        for path, name in _secrets_in(config):
            missing = list(_known_secret(hosts, name, step_id, (*root, *path, "secret")))
            yield from missing
            if not missing and target and not may_go_to(hosts[name], *target):
                yield Finding(
                    "secret_not_for_host",
                    "error",
                    f"The secret “{one_line(name)}” may not go to {one_line(target[0])}.",
                    "Add the host to the secret, or use another secret.",
                    step_id,
                    pointer((*root, *path)),
                )
        if target and _is_private(target[0]):
            if allowed is None:
                allowed = set(allowed_hosts(workspace_id).values_list("host", "port"))
            if target not in allowed and (target[0], None) not in allowed:
                yield Finding(
                    "private_host",
                    "warning",
                    f"{one_line(target[0])}:{target[1]} is not on the open internet; "
                    "calls to it are refused.",
                    "Ask an administrator to put it on the allow-list.",
                    step_id,
                    pointer((*root, "url")),
                )


def _known_secret(
    hosts: Mapping[str, list[str]], name: object, step: str, path: tuple[str | int, ...]
) -> Iterator[Finding]:
    if not isinstance(name, str) or not name or name in hosts:
        return
    near = nearest(name, hosts)
    yield Finding(
        "unknown_secret",
        "error",
        f"There is no secret “{one_line(name)}” in this workspace.",
        f"Did you mean “{near}”?" if near else "Add it under Settings, Secrets.",
        step,
        pointer(path),
    )


def _secrets_in(config: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every ``{"secret": name}`` of a config with its path."""
    waiting: list[tuple[Any, tuple[str | int, ...]]] = [(config, ())]
    while waiting:
        node, path = waiting.pop()
        if isinstance(node, list):
            waiting += [(inner, (*path, index)) for index, inner in enumerate(node)]
        elif isinstance(node, Mapping):
            name = node.get("secret")
            if isinstance(name, str) and set(node) <= {"secret", "prefix"}:
                yield path, name
            else:
                waiting += [(inner, (*path, key)) for key, inner in node.items()]


def _target(url: object) -> tuple[str, int] | None:
    """Host and port of an address that is written out."""
    if not isinstance(url, str) or is_template(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        return addresses.normal_host(parts.hostname or ""), port
    except (ValueError, KeyError):
        return None  # not an address: a finding of the step type's own


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = addresses.literal(host)
    return address is not None and not addresses.is_global(address)
