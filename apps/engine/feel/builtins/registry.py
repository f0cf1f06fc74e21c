"""How a built-in function is declared, found and called."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from apps.engine.feel.errors import Fault
from apps.engine.feel.types import Function, Meter, Months, Range, described
from apps.engine.feel.wide import WideDate, WideDateTime, WideTime

__all__ = ["BUILTINS", "Parameter", "Signature", "builtin", "over_list", "select"]

F = TypeVar("F", bound=Callable[..., Any])
_SIZED: Final = frozenset({list, str, dict})

_TYPES: Final[Mapping[str, tuple[str, tuple[type, ...]]]] = {
    "text": ("text", (str,)),
    "number": ("a number", (int, Decimal)),
    "boolean": ("true or false", (bool,)),
    "list": ("a list", (list,)),
    "context": ("a context", (dict,)),
    "date": ("a date", (date, WideDate)),
    "time": ("a time", (time, WideTime)),
    "datetime": ("a date and time", (datetime, WideDateTime)),
    "days": ("a duration of days and time", (timedelta,)),
    "months": ("a duration of years and months", (Months,)),
    "range": ("a range", (Range,)),
    "function": ("a function", (Function,)),
    "null": ("null", (type(None),)),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Attributes:
        name: As named arguments call it.
        expected: Its type in words, for messages.
        types: The Python types it takes; None takes anything.
        optional: Whether it may be left out.
        many: Whether it takes all arguments that are left, as one list.
    """

    name: str
    expected: str
    types: frozenset[type] | None
    optional: bool = False
    many: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a built-in function."""

    name: str
    parameters: tuple[Parameter, ...]
    run: Callable[..., Any]
    metered: bool

    @property
    def least(self) -> int:
        """The fewest arguments."""
        return sum(not p.optional for p in self.parameters)

    @property
    def most(self) -> float:
        """The most arguments."""
        endless = bool(self.parameters) and self.parameters[-1].many
        return float("inf") if endless else len(self.parameters)

    def invoke(self, meter: Meter, values: list[Any]) -> Any:
        """Pay for the arguments that are long, check their types, and run.

        Raises:
            Fault: An argument does not fit, or the function fails.
        """
        for value in values:
            if type(value) in _SIZED:
                meter.spend(1 + len(value) // (256 if type(value) is str else 8))
        self.accept(values)
        arguments = [values] if self.parameters and self.parameters[-1].many else values
        return self.run(meter, *arguments) if self.metered else self.run(*arguments)

    def __str__(self) -> str:
        shown = [
            f"{p.name}…" if p.many else f"[{p.name}]" if p.optional else p.name
            for p in self.parameters
        ]
        return f"{self.name}({', '.join(shown)})"

    def order(self, names: Sequence[str]) -> list[int] | None:
        """Where each parameter's argument stands, or None where the names do not fit.

        Only the last parameter of a function is ever optional, so there are no gaps.
        """
        known = [p.name for p in self.parameters if not p.many]
        if not set(names) <= set(known):
            return None
        if any(not p.optional and p.name not in names for p in self.parameters):
            return None
        return [names.index(name) for name in known if name in names]

    def accept(self, values: Sequence[Any]) -> None:
        """Refuse values of the wrong type.

        Raises:
            Fault: ``wrong_type``, with the number of the argument.
        """
        for index, value in enumerate(values):
            parameter = self.parameters[min(index, len(self.parameters) - 1)]
            types = parameter.types
            if types is None or type(value) in types:
                continue
            if dict in types and isinstance(value, Mapping):
                continue
            raise Fault(
                "wrong_type",
                f'{self.name} expects {parameter.expected} as "{parameter.name}", '
                f"found {described(value)}.",
                argument=index,
            )


BUILTINS: Final[dict[str, list[Signature]]] = {}


def builtin(name: str, *parameters: str) -> Callable[[F], F]:
    """Declare a built-in function, or one more way to call it.

    Args:
        name: Its FEEL name.
        parameters: ``"name: type"`` each, where the type is one of the words above,
            several with ``|``, or ``any``; ``?`` at the end makes it optional, ``*``
            takes all that are left.

    Of several declarations the one nearest to the function is tried first.

    The function takes the arguments in order; if its first parameter is called
    ``meter``, it gets the ``Meter`` first.
    """

    def declare(run: F) -> F:
        metered = next(iter(inspect.signature(run).parameters), "") == "meter"
        signature = Signature(name, tuple(map(_parameter, parameters)), run, metered)
        BUILTINS.setdefault(name, []).append(signature)
        return run

    return declare


def over_list(name: str, element: str) -> Callable[[F], F]:
    """Declare a function of one list that also takes its elements as arguments.

    ``sum([1, 2])``, ``sum(1, 2)`` and ``sum(1)`` are all calls of ``sum``.
    """

    def declare(run: F) -> F:
        def run_one(meter: Meter, value: Any) -> Any:
            return run(meter, value if type(value) is list else [value])

        builtin(name, "list: any")(run_one)
        builtin(name, f"{element}: any*")(run)
        return run

    return declare


def _parameter(text: str) -> Parameter:
    name, _, kind = text.partition(": ")
    optional, many = kind.endswith("?"), kind.endswith("*")
    kind = kind.rstrip("?*")
    if kind == "any":
        return Parameter(name, "a value", None, optional, many)
    words = [_TYPES[word] for word in kind.split("|")]
    types = frozenset(type_ for _, types in words for type_ in types)
    return Parameter(name, " or ".join(said for said, _ in words), types, optional, many)


def select(name: str, count: int, names: Sequence[str]) -> tuple[Signature, list[int]]:
    """The way of calling ``name`` that fits the arguments, and their order.

    Raises:
        Fault: ``bad_arguments``: there is none.
    """
    ways = BUILTINS[name]
    if names and names[0]:
        fitting = [(way, order) for way in ways if (order := way.order(names)) is not None]
        if fitting:
            # Two ways may differ only in the order of one and the same names.
            return next((one for one in fitting if one[1] == sorted(one[1])), fitting[0])
    for way in () if names and names[0] else ways:
        if way.least <= count <= way.most:
            return way, list(range(count))
    shown = " or ".join(str(way) for way in ways)
    raise Fault("bad_arguments", f"Expected {shown}, found {_found(count, names)}.")


def _found(count: int, names: Sequence[str]) -> str:
    if names and names[0]:
        return f"arguments named {', '.join(names)}"
    return f"{count} argument{'' if count == 1 else 's'}"
