"""Which version was active when, as far as the one who switches can know."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Timeline:
    """A version may be the active one from when its switch began until the next one was done."""

    spans: list[tuple[Any, float, float]] = field(default_factory=list)

    @contextmanager
    def switching(self) -> Iterator[list[Any]]:
        """Put the version that is active afterwards into the list."""
        began = time.monotonic()
        made: list[Any] = []
        yield made
        if self.spans:
            before, since, _ = self.spans[-1]
            self.spans[-1] = (before, since, time.monotonic())
        self.spans.append((made[0], began, float("inf")))

    def may_have_met(self, version: Any, sent: float, answered: float) -> bool:
        """Whether a call of that time may have been taken by this version."""
        return any(
            version == one and since <= answered and sent <= until
            for one, since, until in self.spans
        )
