"""The shapes that a FEEL source is parsed into.

``span`` is the place in the source, start and end offset, for messages.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from apps.engine.feel.errors import Position

__all__ = [
    "Between",
    "Call",
    "Chain",
    "Comparison",
    "Constant",
    "ContextLiteral",
    "Filter",
    "For",
    "FunctionLiteral",
    "If",
    "In",
    "InstanceOf",
    "Iterator",
    "ListLiteral",
    "Logic",
    "Member",
    "Name",
    "Negation",
    "Node",
    "Parameter",
    "Quantified",
    "RangeLiteral",
    "Test",
    "Tests",
    "TypeRef",
]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands in the source."""

    span: Position
    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """A variable; ``?`` is the value that a unary test looks at."""

    span: Position
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """``base.name``."""

    span: Position
    base: "Node"
    name: str
    name_span: Position


@dataclass(frozen=True, slots=True)
class Filter:
    """``base[predicate]``: an index or a condition."""

    span: Position
    base: "Node"
    predicate: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """``callee(arguments)``; ``names`` runs beside ``arguments``, empty where by place."""

    span: Position
    callee: "Node"
    arguments: "tuple[Node, ...]"
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """``-operand``."""

    span: Position
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Chain:
    """Arithmetic operators of one precedence, from left to right: ``a + b - c``."""

    span: Position
    first: "Node"
    rest: "tuple[tuple[str, Node], ...]"


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left operator right``, with one of ``= != < <= > >=``."""

    span: Position
    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Between:
    """``operand between low and high``, both ends included."""

    span: Position
    operand: "Node"
    low: "Node"
    high: "Node"


@dataclass(frozen=True, slots=True)
class Test:
    """One unary test: compare the input with ``operand``; no operator means *matches*."""

    span: Position
    operator: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Tests:
    """Unary tests, one of which must hold, or none where ``negated``; empty is ``-``."""

    span: Position
    tests: tuple[Test, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class In:
    """``operand in tests``."""

    span: Position
    operand: "Node"
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Logic:
    """``and`` or ``or`` between two or more conditions, from left to right."""

    span: Position
    operator: Literal["and", "or"]
    operands: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class If:
    """``if … then … else if … then … else …``, flat."""

    span: Position
    branches: "tuple[tuple[Node, Node], ...]"
    otherwise: "Node"


@dataclass(frozen=True, slots=True)
class Iterator:
    """``name in domain``, or ``name in domain..end``."""

    span: Position
    name: str
    domain: "Node"
    end: "Node | None"


@dataclass(frozen=True, slots=True)
class For:
    """``for iterators return body``."""

    span: Position
    iterators: tuple[Iterator, ...]
    body: "Node"


@dataclass(frozen=True, slots=True)
class Quantified:
    """``some`` or ``every`` ``iterators satisfies condition``."""

    span: Position
    kind: Literal["some", "every"]
    iterators: tuple[Iterator, ...]
    condition: "Node"


@dataclass(frozen=True, slots=True)
class TypeRef:
    """A type as ``instance of`` and parameters name it, with its element types."""

    span: Position
    name: str
    arguments: "tuple[TypeRef, ...]" = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InstanceOf:
    """``operand instance of type``."""

    span: Position
    operand: "Node"
    type: TypeRef


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function literal, with its type where one is given."""

    span: Position
    name: str
    type: TypeRef | None


@dataclass(frozen=True, slots=True)
class FunctionLiteral:
    """``function(parameters) body``."""

    span: Position
    parameters: tuple[Parameter, ...]
    body: "Node"


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """``[a, b]``."""

    span: Position
    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class ContextLiteral:
    """``{name: value}``; later entries see earlier ones."""

    span: Position
    entries: "tuple[tuple[str, Node], ...]"


@dataclass(frozen=True, slots=True)
class RangeLiteral:
    """``[start..end]``, with round or turned brackets where an end is left out."""

    span: Position
    start: "Node"
    end: "Node"
    start_included: bool
    end_included: bool


Node: TypeAlias = (
    Constant
    | Name
    | Member
    | Filter
    | Call
    | Negation
    | Chain
    | Comparison
    | Between
    | In
    | Logic
    | If
    | For
    | Quantified
    | InstanceOf
    | FunctionLiteral
    | ListLiteral
    | ContextLiteral
    | RangeLiteral
)
