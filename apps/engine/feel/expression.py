"""The compiled expression: what it reads, and how it is evaluated."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from apps.engine.feel import closures
from apps.engine.feel.builtins import BUILTINS
from apps.engine.feel.compiler import Compiled, Path, compile_node, compile_tests
from apps.engine.feel.errors import BudgetExceeded, FeelSyntaxError
from apps.engine.feel.parser import parse_expression, parse_unary_tests
from apps.engine.feel.result import check_size
from apps.engine.feel.types import Budget, FeelValue, Meter

__all__ = ["Expression", "UnaryTests", "compile_expression", "compile_unary_tests"]

_FUNCTIONS: Final = frozenset({*BUILTINS, "get or else", "is defined"})
_SMALL: Final = frozenset({bool, int, Decimal, type(None)})
_DEFAULT: Final = Budget()
_CACHED: Final = 8_192
_CACHED_CELLS: Final = 16_384  # one decision table may have thousands


class _Source:
    """What expressions and unary tests have in common.

    Attributes:
        source: The text it was compiled from.
        paths: Every path that it reads from the root context, as far as the
            source tells; names of loops, functions and filters are left out.
        guarded_paths: Those of them that may be missing: they are read only
            inside ``is defined``, ``get or else``, or after such a test.
        possible_paths: Paths in a filter that belong to the root context only
            where the elements have no such field; not in ``paths``.
    """

    __slots__ = ("_run", "_slots", "_span", "guarded_paths", "paths", "possible_paths", "source")

    def __init__(self, source: str, compiled: Compiled) -> None:
        self.source = source
        self.paths: frozenset[Path] = compiled.read | compiled.guarded
        self.guarded_paths: frozenset[Path] = compiled.guarded
        self.possible_paths: frozenset[Path] = compiled.possible
        self._run = compiled.run
        self._slots = [None] * compiled.slots
        self._span = (0, len(source))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.source!r})"

    def _too_deep(self) -> BudgetExceeded:
        message = "The expression calls and nests too deeply. Split it over several fields."
        return BudgetExceeded(message, self._span)


class Expression(_Source):
    """A compiled expression. Safe to share between threads."""

    __slots__ = ()

    def evaluate(
        self,
        context: Mapping[str, object],
        *,
        now: datetime,
        zone: str = "UTC",
        budget: Budget | None = None,
    ) -> FeelValue:
        """Evaluate the expression.

        Args:
            context: The root names and their values, as ``values.loads`` makes
                them; never changed.
            now: The time that ``now()`` and ``today()`` answer, with a zone.
            zone: The time zone that they answer in.
            budget: The limits; those of the product where it is left out.

        Raises:
            FeelError: The expression failed on these values.
        """
        budget = budget or _DEFAULT
        try:
            value = self._run([context, Meter(budget, now, zone), *self._slots])
        except RecursionError:
            raise self._too_deep() from None
        if type(value) not in _SMALL:
            check_size(value, budget, self._span)
        return value  # type: ignore[no-any-return]

    def holds(
        self,
        context: Mapping[str, object],
        *,
        now: datetime,
        zone: str = "UTC",
        budget: Budget | None = None,
    ) -> bool:
        """Evaluate a condition.

        Raises:
            FeelError: It failed, or is neither true nor false (``not_boolean``).
        """
        value = self.evaluate(context, now=now, zone=zone, budget=budget)
        if value is True or value is False:
            return value
        raise closures.not_boolean(value, self._span, "as the result of the condition")


class UnaryTests(_Source):
    """The compiled tests of a cell: ``-``, ``> 5``, ``"a", "b"``, ``not([1..3])``."""

    __slots__ = ()

    def hold(
        self,
        value: object,
        context: Mapping[str, object],
        *,
        now: datetime,
        zone: str = "UTC",
        budget: Budget | None = None,
    ) -> bool:
        """Whether one of the tests holds for a value, which they may call ``?``.

        Raises:
            FeelError: A test failed on the value.
        """
        env: list[Any] = [context, Meter(budget or _DEFAULT, now, zone), *self._slots]
        env[2] = value
        try:
            return self._run(env)  # type: ignore[no-any-return]
        except RecursionError:
            raise self._too_deep() from None


def compile_expression(source: str, *, names: Iterable[str] = ()) -> Expression:
    """Compile an expression; the same source is compiled once.

    Args:
        source: The text, without the leading ``=`` of a template field.
        names: Names of the root context that are functions, or that have spaces
            or marks in them (as DMN models use); ours need none.

    Raises:
        FeelSyntaxError: It is not an expression, calls a function that does not
            exist, or with arguments that do not fit.
    """
    return _expression(source, frozenset(names))


def compile_unary_tests(source: str, *, names: Iterable[str] = ()) -> UnaryTests:
    """Compile the tests of one cell of a decision table; see ``compile_expression``."""
    return _unary_tests(source, frozenset(names))


@lru_cache(maxsize=_CACHED)
def _expression(source: str, names: frozenset[str]) -> Expression:
    try:
        node = parse_expression(source, names, _FUNCTIONS)
        return Expression(source, compile_node(source, node, names))
    except RecursionError:
        raise _too_nested(source) from None


@lru_cache(maxsize=_CACHED_CELLS)
def _unary_tests(source: str, names: frozenset[str]) -> UnaryTests:
    try:
        tests = parse_unary_tests(source, names, _FUNCTIONS)
        return UnaryTests(source, compile_tests(source, tests, names))
    except RecursionError:
        raise _too_nested(source) from None


def _too_nested(source: str) -> FeelSyntaxError:
    message = "The expression nests too deeply. Split it over several fields."
    return FeelSyntaxError("budget", message, (0, len(source)))
