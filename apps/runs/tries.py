"""How often an effect is tried, and how long the pauses are: by the class of its error."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 3600.0


@dataclass(frozen=True, slots=True)
class Tries:
    """How often it is tried in all; the pause doubles each time, up to the longest."""

    most: int
    first_delay_s: float = FIRST_DELAY_S
    longest_delay_s: float = LONGEST_DELAY_S


def allowed(
    config: Mapping[str, Any], said: Mapping[str, Any] | None, error_class: str, most: int
) -> Tries:
    """The tries after an error of that class: the config's own, then the step's, then ours.

    Args:
        config: The effect's resolved config.
        said: What the step says beside it, by class.
        error_class: That of the error.
        most: The tries that a passing error is worth.
    """
    own = config.get("retry")
    if own and error_class == "transient":
        return Tries(most, float(own.get("first_delay_s", FIRST_DELAY_S)))
    here = (said or {}).get(error_class)
    if error_class == "unknown" and config.get("on_unknown") == "fail":
        here = None
    if here:
        first, longest = float(here["first_delay_s"]), float(here["max_delay_s"])
        return Tries(here["max_attempts"], first, longest)
    return Tries(most if error_class == "transient" else 1)


def repeats_unknown(config: Mapping[str, Any], said: Mapping[str, Any] | None) -> bool:
    """Whether no answer counts as one that may come later: the step says nothing of its own."""
    has_own = "unknown" in (said or {}) and not config.get("retry")
    return not has_own and config.get("on_unknown", "repeat") == "repeat"


def backoff(first_s: float, attempt: int, longest_s: float = LONGEST_DELAY_S) -> float:
    """Seconds before the next try, with jitter above half."""
    whole = min(first_s * 2.0 ** (attempt - 1), longest_s)
    return whole * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
