"""Step types that misbehave, for tests and the processes they start. Never part of a catalogue."""

import os
import signal
import threading
from typing import Any

from apps.engine.graph import Behaviour
from apps.steps import registry
from apps.steps.outcomes import Exit
from apps.steps.registry import StepModel

#: What ``test.gives`` gives, by name.
GIVES: dict[str, Any] = {
    "object": object(),
    "set": {1, 2},
    "float": 0.5,
    "nan": float("nan"),
    "nul": "a\0b",
    "surrogate": "\ud800",
    "key": {1: "a"},
    "bytes": b"x",
    "deep": None,
    "large": ["x" * 1_000_000] * 100,
}
for _ in range(70):
    GIVES["deep"] = [GIVES["deep"]]

hanging = threading.Event()
may_go = threading.Event()


class Config(StepModel):
    what: str = ""


def misbehave(config: Any, _ctx: Any) -> Any:
    """What each of the types does."""
    match config.what:
        case "raise":
            raise RuntimeError("planted fault")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            hanging.set()
            may_go.wait(120)
            return Exit(output={"late": True})
        case "nothing":
            return None
        case "well":
            return Exit(output={"well": True})
    return Exit(output=GIVES[config.what])


def register() -> None:
    """Add ``test.pure`` and ``test.effect`` to this process's catalogue."""
    registry.catalogue()
    for behaviour in (Behaviour.PURE, Behaviour.EFFECT):
        registry.step_type(
            kind=f"test.{behaviour.value}",
            version=1,
            title="Odd",
            category="Test",
            icon="bug",
            behaviour=behaviour,
            ports=("done", "error"),
            config=Config,
            output=None,
            default_config={},
        )(misbehave)
