"""What a check says about a flow document: which step, what is wrong, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]


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
