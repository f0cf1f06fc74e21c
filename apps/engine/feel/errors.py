"""What goes wrong in an expression, told so that its writer can put it right.

Every error has a ``code`` for programs, a ``message`` for people (what was
expected, what was found, what to do), the ``position`` of the cause in the
source, and where one is near, a ``suggestion``.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cached_property
from typing import Final, Literal, TypeAlias

__all__ = [
    "BudgetExceeded",
    "Code",
    "Fault",
    "FeelError",
    "FeelSyntaxError",
    "IndexOutOfRange",
    "MissingPath",
    "Position",
    "nearest",
]

Code: TypeAlias = Literal[
    "bad_arguments",
    "budget",
    "conversion",
    "division_by_zero",
    "index_out_of_range",
    "missing_path",
    "not_boolean",
    "overflow",
    "syntax",
    "unknown_function",
    "unknown_name",
    "wrong_type",
]
Position: TypeAlias = tuple[int, int]

_CANDIDATES: Final = 500


class FeelError(Exception):
    """An expression that cannot be read, or that failed on the values it met.

    Attributes:
        code: What kind of mistake it is.
        position: Start and end offset of the cause in the source.
    """

    def __init__(
        self, code: Code, message: str, position: Position, suggestion: str | None = None
    ) -> None:
        super().__init__(code, message, position, suggestion)
        self.code: Code = code
        self.position = position
        self._message = message
        self._suggestion = suggestion

    @property
    def suggestion(self) -> str | None:
        """The nearest name that exists, where one is near."""
        return self._suggestion

    @property
    def message(self) -> str:
        """One sentence for the writer of the expression."""
        if self.suggestion is None:
            return self._message
        return f"{self._message} Did you mean {self.suggestion}?"

    def __str__(self) -> str:
        return self.message


class FeelSyntaxError(FeelError):
    """The source is not an expression; found before anything is evaluated."""


class MissingPath(FeelError):
    """A path or name that is not there. Looks for the nearest match only when asked."""

    def __init__(
        self,
        message: str,
        position: Position,
        *,
        missing: str,
        known: Iterable[object] = (),
        code: Code = "missing_path",
    ) -> None:
        super().__init__(code, message, position)
        self._missing = missing
        self._known = known

    @cached_property
    def _nearest(self) -> str | None:
        return nearest(self._missing, (str(name) for name in self._known))

    @property
    def suggestion(self) -> str | None:
        """The nearest name that exists, where one is near."""
        return self._nearest


class IndexOutOfRange(FeelError):
    """A list has no element at that place."""

    def __init__(self, message: str, position: Position) -> None:
        super().__init__("index_out_of_range", message, position)


class BudgetExceeded(FeelError):
    """The expression asked for more work, depth or space than one may take."""

    def __init__(self, message: str, position: Position) -> None:
        super().__init__("budget", message, position)


class Fault(Exception):
    """A mistake met by code that does not know where in the source it stands.

    Operators and built-in functions raise it; the compiled expression gives it
    the position of the call and raises the error.
    """

    def __init__(self, code: Code, message: str, *, argument: int | None = None) -> None:
        super().__init__(code, message)
        self.code: Code = code
        self.message = message
        self.argument = argument

    def at(self, position: Position) -> FeelError:
        """The same mistake, at its place."""
        if self.code == "budget":
            return BudgetExceeded(self.message, position)
        if self.code == "index_out_of_range":
            return IndexOutOfRange(self.message, position)
        if self.code == "missing_path":
            return MissingPath(self.message, position, missing="")
        return FeelError(self.code, self.message, position)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name most like ``name``, or None where nothing is alike."""
    candidates = list(_first(known, _CANDIDATES))
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    if name.lower() in by_lower:
        return by_lower[name.lower()]
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def _first(names: Iterable[str], limit: int) -> Iterator[str]:
    for index, name in enumerate(names):
        if index == limit:
            return
        if len(name) <= 100:
            yield name
