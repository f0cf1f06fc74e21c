"""What a check says about a flow document: which step, what is wrong, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Change:
    """One operation of JSON Patch. Source: RFC 6902; only these three are used."""

    op: Literal["add", "remove", "replace"]
    path: str
    value: Any = None

    def as_json(self) -> dict[str, Any]:
        """As it is written."""
        named = {"op": self.op, "path": self.path}
        return named if self.op == "remove" else {**named, "value": self.value}


@dataclass(frozen=True, slots=True)
class Repair:
    """What puts a finding right at once, where there is one safe way to do so.

    Safe is what only takes away what is of no use, or says exactly what will be done. ``does`` is
    what the button says.
    """

    does: str
    changes: tuple[Change, ...]

    def as_json(self) -> dict[str, Any]:
        """The repair as the API shows it."""
        return {"does": self.does, "patch": [one.as_json() for one in self.changes]}

    def below(self, root: str) -> "Repair":
        """The same for a document in which the config stands at ``root``."""
        return Repair(
            self.does, tuple(Change(one.op, root + one.path, one.value) for one in self.changes)
        )


def removed(path: str) -> tuple[Change, ...]:
    """What is at a pointer is taken out."""
    return (Change("remove", path),)


def replaced(path: str, value: Any) -> tuple[Change, ...]:
    """What is at a pointer becomes something else."""
    return (Change("replace", path, value),)


def added(path: str, value: Any) -> tuple[Change, ...]:
    """Something is put at a pointer where nothing is yet."""
    return (Change("add", path, value),)


@dataclass(frozen=True, slots=True)
class Flaw:
    """What a step type itself finds wrong in a config; ``path`` leads from the config's root.

    ``message`` says what is wrong and ``fix`` what to do, each in one sentence for the person
    who draws the flow.
    """

    code: str
    path: tuple[str | int, ...]
    message: str
    fix: str
    severity: Severity = "error"
    #: From the root of the config.
    repair: Repair | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (``error``: cannot be published) or doubtful (``warning``).

    Args:
        step: The id of the step, ``trigger``, or None for the document as a whole.
        path: The place in the document, as a JSON Pointer (RFC 6901).
        position: Start and end of the cause inside an expression, leading ``=`` not counted.
        way: The choices that lead there, each a step and the port it leaves by.
    """

    code: str
    severity: Severity
    message: str
    fix: str
    step: str | None = None
    path: str = ""
    position: tuple[int, int] | None = None
    way: tuple[tuple[str, str], ...] = ()
    repair: Repair | None = field(default=None, compare=False)

    def as_json(self) -> dict[str, Any]:
        """The finding as the API shows it."""
        return {
            "code": self.code,
            "severity": self.severity,
            "step": self.step,
            "path": self.path,
            "message": self.message,
            "fix": self.fix,
            "position": (
                {"start": self.position[0], "end": self.position[1]} if self.position else None
            ),
            "way": [{"step": step, "port": port} for step, port in self.way],
            "repair": self.repair.as_json() if self.repair else None,
        }


def pointer(path: Sequence[str | int]) -> str:
    """A path as a JSON Pointer. Source: RFC 6901."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def errors_in(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that stand in the way of publishing."""
    return [one for one in findings if one.severity == "error"]


def is_template(value: object) -> bool:
    """Whether a text of a config is FEEL behind a leading ``=``."""
    return isinstance(value, str) and value.startswith("=") and not value.startswith("==")


def at(config: Mapping[str, Any], *path: str | int) -> Any:
    """The value at a path of a config that may have any shape, or None."""
    here: Any = config
    for part in path:
        if isinstance(here, Mapping):
            here = here.get(part)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            return None
    return here
