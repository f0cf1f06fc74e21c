"""Functions over lists."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import cmp_to_key, partial, reduce
from typing import Any, Final

from apps.engine.feel import operators
from apps.engine.feel.builtins.registry import builtin, over_list
from apps.engine.feel.errors import Fault
from apps.engine.feel.types import (
    CONTEXT,
    NUMBERS,
    Function,
    Meter,
    Months,
    Number,
    described,
    whole,
)

_HASHABLE: Final = frozenset({str, int, Decimal, bool, type(None)})


def _index(place: Number, count: int, name: str = "position") -> int:
    """The Python index of a FEEL place, from 1, or from the end where negative."""
    index = whole(place, name)
    if index == 0 or not -count <= index <= count:
        message = f"There is no element {index}: the list has {count}."
        raise Fault("index_out_of_range", message)
    return index - 1 if index > 0 else index + count


def _all_of(values: Sequence[Any], types: frozenset[type], expected: str) -> None:
    if not set(map(type, values)) <= types:
        wrong = next(value for value in values if type(value) not in types)
        raise Fault("wrong_type", f"Expected a list of {expected}, found {described(wrong)} in it.")


def _some(values: Sequence[Any], what: str) -> Sequence[Any]:
    if not values:
        raise Fault("bad_arguments", f"An empty list has no {what}. Check count(list) first.")
    return values


@builtin("list contains", "list: list", "element: any")
def list_contains(meter: Meter, values: list[Any], element: Any) -> bool:
    """Whether an element is in a list."""
    meter.spend(len(values) // 4)
    return any(operators.same(meter, value, element) for value in values)


@builtin("count", "list: list")
def count(values: list[Any]) -> int:
    """How many elements a list has."""
    return len(values)


def _best(meter: Meter, values: Sequence[Any], sign: int, what: str) -> Any:
    best = _some(values, what)[0]
    meter.spend(len(values) // 4)
    operators.compare(best, best)  # one element alone must have an order too
    for value in values[1:]:
        if operators.compare(value, best) * sign > 0:
            best = value
    return best


@over_list("min", "c")
def min_(meter: Meter, values: list[Any]) -> Any:
    """The least element."""
    return _best(meter, values, -1, "least element")


@over_list("max", "c")
def max_(meter: Meter, values: list[Any]) -> Any:
    """The greatest element."""
    return _best(meter, values, 1, "greatest element")


def _total(meter: Meter, values: Sequence[Any]) -> Any:
    kinds = set(map(type, values))
    meter.spend(len(values) // 16)
    if kinds == {int}:
        return operators.number_result(sum(values))
    if kinds in ({timedelta}, {Months}):
        return reduce(partial(operators.add, meter), values)
    _all_of(values, NUMBERS, "numbers")
    return reduce(partial(operators.add, meter), values, 0)


@over_list("sum", "n")
def sum_(meter: Meter, values: list[Any]) -> Any:
    """The sum of numbers or durations."""
    return _total(meter, _some(values, "sum"))


@over_list("mean", "n")
def mean(meter: Meter, values: list[Any]) -> Any:
    """The arithmetic mean."""
    return operators.divide(meter, _total(meter, _some(values, "mean")), len(values))


@over_list("product", "n")
def product(meter: Meter, values: list[Any]) -> Number:
    """The product of numbers."""
    _all_of(_some(values, "product"), NUMBERS, "numbers")
    meter.spend(len(values) // 8)
    total: Any = 1
    for value in values:
        total = operators.ARITHMETIC["*"](meter, total, value)
    return total  # type: ignore[no-any-return]


@over_list("median", "n")
def median(meter: Meter, values: list[Any]) -> Any:
    """The element in the middle, or the mean of the two."""
    _all_of(_some(values, "median"), NUMBERS, "numbers")
    meter.spend(len(values) // 4)
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return operators.divide(meter, operators.add(meter, *ordered[middle - 1 : middle + 1]), 2)


@over_list("stddev", "n")
def stddev(meter: Meter, values: list[Any]) -> Number:
    """The standard deviation of a sample."""
    _all_of(values, NUMBERS, "numbers")
    if len(values) < 2:
        raise Fault("bad_arguments", "A standard deviation needs at least two numbers.")
    meter.spend(len(values) * 2)
    average = mean(meter, values)
    total: Any = 0
    for value in values:
        gap = operators.ARITHMETIC["-"](meter, value, average)
        total = operators.add(meter, total, operators.ARITHMETIC["*"](meter, gap, gap))
    return CONTEXT.sqrt(operators.divide(meter, total, len(values) - 1))


@over_list("mode", "n")
def mode(meter: Meter, values: list[Any]) -> list[Number]:
    """The most frequent numbers, in ascending order."""
    _all_of(values, NUMBERS, "numbers")
    meter.spend(len(values) // 2)
    counts: dict[Any, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    most = max(counts.values(), default=0)
    return sorted(value for value, times in counts.items() if times == most)


def _verdict(meter: Meter, values: list[Any], *, every: bool) -> bool:
    """Stops at the first element that decides, as ``and`` and ``or`` do."""
    meter.spend(len(values) // 16)
    for value in values:
        if value is not True and value is not False:
            raise Fault(
                "wrong_type",
                f"Expected a list of true and false, found {described(value)} in it.",
            )
        if value is not every:
            return not every
    return every


@over_list("all", "b")
def all_(meter: Meter, values: list[Any]) -> bool:
    """Whether every element is true; of an empty list true."""
    return _verdict(meter, values, every=True)


@over_list("any", "b")
def any_(meter: Meter, values: list[Any]) -> bool:
    """Whether an element is true; of an empty list false."""
    return _verdict(meter, values, every=False)


@builtin("sublist", "list: list", "start position: number", "length: number?")
def sublist(values: list[Any], start: Number, length: Number | None = None) -> list[Any]:
    """The elements from a place on, so many or all."""
    first = _index(start, len(values), "start position")
    if length is None:
        return values[first:]
    size = whole(length, "length")
    if size < 0 or first + size > len(values):
        message = f"There are no {size} elements from {start}: the list has {len(values)}."
        raise Fault("index_out_of_range", message)
    return values[first : first + size]


@builtin("append", "list: list", "item: any")
def append(values: list[Any], item: Any) -> list[Any]:
    """The list with one element more."""
    return [*values, item]


@builtin("append", "items: any*")
def append_many(values: list[Any]) -> list[Any]:
    """The list, given first, with the other arguments at its end."""
    if type(values[0]) is not list:
        raise Fault("wrong_type", f"append expects a list first, found {described(values[0])}.")
    return [*values[0], *values[1:]]


@builtin("concatenate", "lists: list*")
def concatenate(meter: Meter, lists: list[Any]) -> list[Any]:
    """Several lists one after the other."""
    return _concatenated(meter, lists)


def _concatenated(meter: Meter, lists: list[Any]) -> list[Any]:
    _all_of(lists, frozenset({list}), "lists")
    meter.spend(sum(map(len, lists)) // 8)
    return [item for values in lists for item in values]


@builtin("insert before", "list: list", "position: number", "newItem: any")
def insert_before(values: list[Any], place: Number, item: Any) -> list[Any]:
    """The list with an element put in before a place."""
    index = _index(place, len(values))
    return [*values[:index], item, *values[index:]]


@builtin("remove", "list: list", "position: number")
def remove(values: list[Any], place: Number) -> list[Any]:
    """The list without the element at a place."""
    index = _index(place, len(values))
    return [*values[:index], *values[index + 1 :]]


@builtin("list replace", "list: list", "match: function", "newItem: any")
@builtin("list replace", "list: list", "position: number|function", "newItem: any")
def list_replace(meter: Meter, values: list[Any], place: Number | Function, item: Any) -> list[Any]:
    """The list with another element at a place, or wherever ``match(element, new)`` is true."""
    if isinstance(place, Function):
        meter.spend(len(values))
        return [item if _asked(place, [value, item]) else value for value in values]
    index = _index(place, len(values))
    return [*values[:index], item, *values[index + 1 :]]


@builtin("reverse", "list: list")
def reverse(values: list[Any]) -> list[Any]:
    """The list from its end."""
    return values[::-1]


@builtin("index of", "list: list", "match: any")
def index_of(meter: Meter, values: list[Any], match: Any) -> list[int]:
    """The places of an element."""
    meter.spend(len(values) // 4)
    return [
        place for place, value in enumerate(values, start=1) if operators.same(meter, value, match)
    ]


@builtin("distinct values", "list: list")
def distinct_values(meter: Meter, values: list[Any]) -> list[Any]:
    """The list without repeated elements."""
    meter.spend(len(values) // 4)
    kept: list[Any] = []
    seen: set[tuple[bool, Any]] = set()
    odd: list[Any] = []  # what has no hash is compared with its like, one by one
    for value in values:
        if type(value) in _HASHABLE:
            mark = (type(value) is bool, value)  # in Python true is 1
            if mark not in seen:
                seen.add(mark)
                kept.append(value)
            continue
        meter.spend(1 + 3 * len(odd))
        if not any(operators.same(meter, value, other) for other in odd):
            odd.append(value)
            kept.append(value)
    return kept


@builtin("union", "lists: list*")
def union(meter: Meter, lists: list[Any]) -> list[Any]:
    """Several lists together, without repeated elements."""
    return distinct_values(meter, _concatenated(meter, lists))


@builtin("flatten", "list: list")
def flatten(meter: Meter, values: list[Any]) -> list[Any]:
    """The list with the elements of inner lists in their place."""
    found: list[Any] = []
    for value in values:
        meter.spend(1)
        if type(value) is list:
            found.extend(flatten(meter, value))
        else:
            found.append(value)
    meter.spend(len(found) // 8)
    return found


@builtin("sort", "list: list", "precedes: function?")
def sort(meter: Meter, values: list[Any], precedes: Function | None = None) -> list[Any]:
    """The list in order: its own, or that of ``precedes(x, y)``."""
    if precedes is None:

        def order(x: Any, y: Any) -> int:
            meter.spend(1)
            return operators.compare(x, y)

        return sorted(values, key=cmp_to_key(order))
    return sorted(values, key=cmp_to_key(_by(meter, precedes)))


def _by(meter: Meter, precedes: Function) -> Callable[[Any, Any], int]:
    if not precedes.takes(2):
        raise Fault("bad_arguments", "sort expects a function with two parameters.")

    def order(x: Any, y: Any) -> int:
        meter.spend(2)
        if _asked(precedes, [x, y]):
            return -1
        return 1 if _asked(precedes, [y, x]) else 0

    return order


def _asked(function: Function, arguments: list[Any]) -> bool:
    if not function.takes(len(arguments)):
        message = f"Expected a function with {len(arguments)} parameters."
        raise Fault("bad_arguments", message)
    answer = function.call(arguments)
    if answer is True or answer is False:
        return answer
    message = f"Expected the function to answer true or false, found {described(answer)}."
    raise Fault("not_boolean", message)
