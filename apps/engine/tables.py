"""What a decision table answers: its hit policy, applied to the rules that match.

Strict where DMN answers null: no rule without a default, two rules of a ``unique`` table,
rules of an ``any`` table that disagree, are each a ``TableError`` that names the rules.

Source: OMG DMN 1.5, section 8.2.8 (hit policies).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cmp_to_key, reduce
from typing import Any, Final, Literal, TypeAlias

from apps.engine.feel.errors import Fault
from apps.engine.feel.operators import add, compare, same
from apps.engine.feel.types import Budget, Meter, described

__all__ = ["Aggregate", "Hit", "Rule", "TableError", "decide"]

Hit: TypeAlias = Literal["unique", "any", "first", "priority", "collect", "output_order"]
Aggregate: TypeAlias = Literal["sum", "min", "max", "count"]
Row: TypeAlias = Mapping[str, Any]

_LISTS: Final = frozenset({"collect", "output_order"})
_NAMED: Final = 10


class TableError(Exception):
    """A table that gives no answer.

    Attributes:
        code: ``no_rule``, ``many_rules`` or ``not_permitted``.
        message: One sentence for the table's owner.
        rules: The numbers of the rules that matched, from 1.
    """

    def __init__(self, code: str, message: str, rules: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.rules = tuple(rules)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: whether it matches, and what it then gives; asked when it is needed."""

    matches: Callable[[], bool]
    result: Callable[[], Row]


def decide(
    rules: Sequence[Rule],
    *,
    hit: Hit,
    aggregate: Aggregate | None = None,
    outputs: Sequence[str],
    default: Row | None = None,
    order: Sequence[Sequence[Any]] = (),
    meter: Meter | None = None,
) -> Any:
    """Apply the hit policy.

    Args:
        rules: The rules in order.
        hit: How many may match, and which counts.
        aggregate: What becomes of the results of ``collect``.
        outputs: Names of the results; an aggregate is made of the first.
        default: The result where no rule matches.
        order: For each output its values from the most wanted on, for ``priority`` and
            ``output_order``.
        meter: Pays for comparing results.

    Returns:
        A context; for ``collect`` and ``output_order`` a list of them; with an aggregate
        the value alone.

    Raises:
        TableError: There is no answer, or more than one.
        Fault: The results cannot be added or compared.
    """
    matching: list[int] = []
    for number, rule in enumerate(rules, start=1):
        if rule.matches():
            matching.append(number)
            if hit == "first":
                break
    if not matching:
        return _nothing(hit, aggregate, default)
    if hit == "unique" and len(matching) > 1:
        raise TableError(
            "many_rules",
            f"The rules {_listed(matching)} match at once, and only one may. "
            "Make their conditions differ, or choose another hit policy.",
            matching,
        )
    results = [rules[number - 1].result() for number in matching]
    if hit in {"unique", "first"}:
        return results[0]
    meter = meter or Meter(Budget(), now=_never(), zone="UTC")
    if hit == "any":
        return _agreed(meter, matching, results)
    if hit in {"priority", "output_order"}:
        ranked = sorted(results, key=cmp_to_key(_by_rank(meter, outputs, order)))
        return ranked if hit == "output_order" else ranked[0]
    return _aggregated(meter, aggregate, results, outputs[0]) if aggregate else results


def _never() -> Any:
    return None  # comparing reads no clock


def _nothing(hit: Hit, aggregate: Aggregate | None, default: Row | None) -> Any:
    if default is not None:
        return [default] if hit in _LISTS and aggregate is None else default
    if aggregate == "count":
        return 0
    if hit in _LISTS and aggregate is None:
        return []
    raise TableError(
        "no_rule",
        "No rule of the table matches. Add a rule for this case, or a default.",
    )


def _agreed(meter: Meter, matching: Sequence[int], results: Sequence[Row]) -> Row:
    for number, result in zip(matching[1:], results[1:], strict=True):
        if not same(meter, dict(results[0]), dict(result)):
            raise TableError(
                "many_rules",
                f"The rules {matching[0]} and {number} both match and give different results. "
                "Make their results the same, or their conditions differ.",
                matching,
            )
    return results[0]


def _aggregated(meter: Meter, aggregate: Aggregate, results: Sequence[Row], name: str) -> Any:
    values = [result[name] for result in results]
    match aggregate:
        case "count":
            return len(values)
        case "sum":
            return reduce(lambda a, b: add(meter, a, b), values)
        case "min":
            return reduce(lambda a, b: b if compare(b, a) < 0 else a, values)
        case "max":
            return reduce(lambda a, b: b if compare(b, a) > 0 else a, values)


def _by_rank(
    meter: Meter, outputs: Sequence[str], order: Sequence[Sequence[Any]]
) -> Callable[[Row, Row], int]:
    def rank(name: str, values: Sequence[Any], row: Row) -> int:
        for place, value in enumerate(values):
            if same(meter, value, row[name]):
                return place
        if not values:
            return 0
        raise Fault("bad_arguments", f"{described(row[name])} is not one of the output's values.")

    def ordered(left: Row, right: Row) -> int:
        for name, values in zip(outputs, order, strict=False):
            difference = rank(name, values, left) - rank(name, values, right)
            if difference:
                return difference
        return 0

    return ordered


def _listed(numbers: Sequence[int]) -> str:
    shown = [str(number) for number in numbers[:_NAMED]]
    if len(numbers) > _NAMED:
        return f"{', '.join(shown)} and {len(numbers) - _NAMED} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}"
