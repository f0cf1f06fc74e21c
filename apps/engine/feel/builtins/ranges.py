"""Functions that say how points and ranges lie to each other, ``range`` and ``is``.

A point is a value that has an order; an end that is left out lies beyond every point.

Source: OMG DMN 1.5, section 10.3.4.9 (range functions), table 78.
"""

from collections.abc import Callable
from datetime import datetime, time
from typing import Any, Final

from apps.engine.feel import operators, temporal
from apps.engine.feel.ast import Call, Constant, Name, Negation, Node, RangeLiteral
from apps.engine.feel.builtins.registry import builtin
from apps.engine.feel.errors import Fault, FeelSyntaxError
from apps.engine.feel.parser import parse_expression
from apps.engine.feel.types import Meter, Range, described, type_name

_LONGEST: Final = 500
_OPEN: Final = {"start": -1, "end": 1}


def _ends(left: Any, right: Any, left_end: str, right_end: str) -> int:
    """Order one end of a range and one of another; an open end lies outside everything."""
    a, b = getattr(left, left_end), getattr(right, right_end)
    if a is None or b is None:
        return (_OPEN[left_end] if a is None else 0) - (_OPEN[right_end] if b is None else 0)
    return operators.compare(a, b)


def _point(point: Any, interval: Range, end: str) -> int:
    bound = getattr(interval, end)
    return -_OPEN[end] if bound is None else operators.compare(point, bound)


def _is_range(value: Any) -> bool:
    return type(value) is Range


def _must_be_range(value: Any) -> None:
    if not _is_range(value):
        raise Fault("wrong_type", f"Expected a range, found {described(value)}.")


def _before_range(point: Any, interval: Range) -> bool:
    order = _point(point, interval, "start")
    return order < 0 or (order == 0 and not interval.start_included)


def _after_range(point: Any, interval: Range) -> bool:
    order = _point(point, interval, "end")
    return order > 0 or (order == 0 and not interval.end_included)


def _ends_before(first: Range, second: Range) -> bool:
    order = _ends(first, second, "end", "start")
    touching = first.end_included and second.start_included
    return order < 0 or (order == 0 and not touching)


@builtin("before", "point1: any", "point2: any")
@builtin("before", "point: any", "range: any")
@builtin("before", "range: any", "point: any")
@builtin("before", "range1: any", "range2: any")
def before(first: Any, second: Any) -> bool:
    """Whether all of the one lies before all of the other."""
    match _is_range(first), _is_range(second):
        case True, True:
            return _ends_before(first, second)
        case True, False:
            return _after_range(second, first)
        case False, True:
            return _before_range(first, second)
        case _:
            return operators.compare(first, second) < 0


@builtin("after", "point1: any", "point2: any")
@builtin("after", "point: any", "range: any")
@builtin("after", "range: any", "point: any")
@builtin("after", "range1: any", "range2: any")
def after(first: Any, second: Any) -> bool:
    """Whether all of the one lies after all of the other."""
    return before(second, first)


@builtin("meets", "range1: range", "range2: range")
def meets(first: Range, second: Range) -> bool:
    """Whether the second begins exactly where the first ends, both including that point."""
    touching = first.end_included and second.start_included
    return touching and _ends(first, second, "end", "start") == 0


@builtin("met by", "range1: range", "range2: range")
def met_by(first: Range, second: Range) -> bool:
    """Whether the first begins exactly where the second ends."""
    return meets(second, first)


@builtin("overlaps", "range1: range", "range2: range")
def overlaps(first: Range, second: Range) -> bool:
    """Whether the two have a point in common."""
    return not (_ends_before(first, second) or _ends_before(second, first))


def _starts_earlier(first: Range, second: Range) -> bool:
    order = _ends(first, second, "start", "start")
    return order < 0 or (order == 0 and first.start_included and not second.start_included)


def _ends_no_later(first: Range, second: Range) -> bool:
    order = _ends(first, second, "end", "end")
    return order < 0 or (order == 0 and (not first.end_included or second.end_included))


def _starts_no_earlier(first: Range, second: Range) -> bool:
    order = _ends(first, second, "start", "start")
    return order > 0 or (order == 0 and (not first.start_included or second.start_included))


@builtin("overlaps before", "range1: range", "range2: range")
def overlaps_before(first: Range, second: Range) -> bool:
    """Whether the first begins earlier and ends within the second."""
    return (
        _starts_earlier(first, second)
        and not _ends_before(first, second)
        and _ends_no_later(first, second)
    )


@builtin("overlaps after", "range1: range", "range2: range")
def overlaps_after(first: Range, second: Range) -> bool:
    """Whether the second begins earlier and ends within the first."""
    return overlaps_before(second, first)


@builtin("finishes", "point: any", "range: any")
@builtin("finishes", "range1: any", "range2: any")
def finishes(first: Any, second: Range) -> bool:
    """Whether both end at the same point, and the first lies within the second."""
    _must_be_range(second)
    if not _is_range(first):
        return second.end_included and _point(first, second, "end") == 0
    return (
        _ends(first, second, "end", "end") == 0
        and first.end_included is second.end_included
        and _starts_no_earlier(first, second)
    )


@builtin("finished by", "range: any", "point: any")
@builtin("finished by", "range1: any", "range2: any")
def finished_by(first: Range, second: Any) -> bool:
    """Whether both end at the same point, and the second lies within the first."""
    return finishes(second, first)


@builtin("includes", "range: any", "point: any")
@builtin("includes", "range1: any", "range2: any")
def includes(first: Range, second: Any) -> bool:
    """Whether the second lies within the first."""
    _must_be_range(first)
    if not _is_range(second):
        return operators.in_range(second, first)
    return _starts_no_earlier(second, first) and _ends_no_later(second, first)


@builtin("during", "point: any", "range: any")
@builtin("during", "range1: any", "range2: any")
def during(first: Any, second: Range) -> bool:
    """Whether the first lies within the second."""
    return includes(second, first)


@builtin("starts", "point: any", "range: any")
@builtin("starts", "range1: any", "range2: any")
def starts(first: Any, second: Range) -> bool:
    """Whether both begin at the same point, and the first lies within the second."""
    _must_be_range(second)
    if not _is_range(first):
        return second.start_included and _point(first, second, "start") == 0
    return (
        _ends(first, second, "start", "start") == 0
        and first.start_included is second.start_included
        and _ends_no_later(first, second)
    )


@builtin("started by", "range: any", "point: any")
@builtin("started by", "range1: any", "range2: any")
def started_by(first: Range, second: Any) -> bool:
    """Whether both begin at the same point, and the second lies within the first."""
    return starts(second, first)


@builtin("coincides", "point1: any", "point2: any")
@builtin("coincides", "range1: any", "range2: any")
def coincides(first: Any, second: Any) -> bool:
    """Whether two points or two ranges are the same."""
    if _is_range(first) is not _is_range(second):
        raise Fault("wrong_type", "Expected two points or two ranges, found one of each.")
    if not _is_range(first):
        return operators.compare(first, second) == 0
    return (
        _ends(first, second, "start", "start") == 0
        and _ends(first, second, "end", "end") == 0
        and first.start_included is second.start_included
        and first.end_included is second.end_included
    )


@builtin("is", "value1: any", "value2: any")
def is_(meter: Meter, first: Any, second: Any) -> bool:
    """Whether two values are the same in every part: unlike ``=`` also in their time zone."""
    if type_name(first) != type_name(second):
        return False
    if isinstance(first, datetime | time):
        return temporal.format_temporal(first) == temporal.format_temporal(second)
    return operators.same(meter, first, second)


@builtin("range", "from: text")
def range_from(source: str) -> Range:
    """Read a range such as ``[1..10)`` from text; an end may be left out."""
    try:
        if len(source) > _LONGEST:
            raise _no_range(source)
        return _read(source)
    except FeelSyntaxError:
        raise _no_range(source) from None


def _read(source: str) -> Range:
    text = source.strip()
    body = text[1:-1]
    if text[:1] not in {"[", "(", "]"} or text[-1:] not in {"]", ")", "["} or ".." not in body:
        raise _no_range(source)
    left, _, right = body.partition("..")
    if left.strip() and right.strip():
        node = parse_expression(text, (), _CALLS)
        if not isinstance(node, RangeLiteral):
            raise _no_range(source)
        start, end = _literal(node.start, source), _literal(node.end, source)
        if start is None or end is None or operators.compare(start, end) > 0:
            raise _no_range(source)
        return Range(start, end, node.start_included, node.end_included)
    if bool(left.strip()) is bool(right.strip()):
        raise _no_range(source)
    bound = _literal(parse_expression((left or right).strip(), (), _CALLS), source)
    if left.strip():
        return Range(bound, None, text[0] == "[", end_included=False)
    return Range(None, bound, start_included=False, end_included=text[-1] == "]")


def _no_range(source: str) -> Fault:
    return Fault("conversion", f'Expected a range such as "[1..10)", found "{source[:60]}".')


_CALLS: Final[dict[str, Callable[[str], Any]]] = {
    "date": temporal.parse_date,
    "time": temporal.parse_time,
    "date and time": temporal.parse_date_and_time,
    "duration": temporal.parse_duration,
}


def _literal(node: Node, source: str) -> Any:
    """The value of an end, which must stand in the text."""
    match node:
        case Constant(value=value) if value is not None:
            return value
        case Negation(operand=Constant(value=value)):
            return operators.negate(value)
        case Call(callee=Name(name=name), arguments=(Constant(value=str() as text),)) if (
            name in _CALLS
        ):
            return _CALLS[name](text)
    raise _no_range(source)
