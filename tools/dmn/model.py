"""The shapes that a DMN model is read into."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = [
    "Branch",
    "Context",
    "Decision",
    "Entry",
    "Expression",
    "FilterBox",
    "FunctionBox",
    "Invocation",
    "ItemType",
    "Knowledge",
    "Literal",
    "Loop",
    "Model",
    "Relation",
    "Row",
    "Sequence",
    "Service",
    "Table",
    "TableOutput",
]


@dataclass(frozen=True, slots=True)
class Literal:
    """A FEEL text."""

    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A named part of a context, or a binding of an invocation; ``name`` may be empty."""

    name: str
    type: str
    value: "Expression | None"


@dataclass(frozen=True, slots=True)
class Context:
    """Boxed context; an entry without a name is its result."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Invocation:
    """Boxed invocation of a function with named arguments."""

    callee: "Expression | None"
    bindings: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class FunctionBox:
    """Boxed function; ``kind`` is FEEL, Java or PMML."""

    kind: str
    parameters: tuple[Entry, ...]
    body: "Expression | None"
    result: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table of values: a list of contexts."""

    columns: tuple[str, ...]
    rows: "tuple[tuple[Expression | None, ...], ...]"


@dataclass(frozen=True, slots=True)
class Sequence:
    """Boxed list."""

    items: "tuple[Expression | None, ...]"


@dataclass(frozen=True, slots=True)
class Branch:
    """Boxed conditional."""

    condition: "Expression | None"
    then: "Expression | None"
    otherwise: "Expression | None"


@dataclass(frozen=True, slots=True)
class Loop:
    """Boxed iterator: ``for``, ``some`` or ``every``."""

    kind: str
    variable: str
    domain: "Expression | None"
    body: "Expression | None"


@dataclass(frozen=True, slots=True)
class FilterBox:
    """Boxed filter."""

    domain: "Expression | None"
    match: "Expression | None"


@dataclass(frozen=True, slots=True)
class TableOutput:
    """A column of results."""

    name: str
    type: str
    values: str
    default: str


@dataclass(frozen=True, slots=True)
class Row:
    """A rule of a decision table."""

    when: tuple[str, ...]
    then: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Decision table; ``inputs`` are pairs of expression and permitted values."""

    hit: str
    aggregate: str
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[TableOutput, ...]
    rows: tuple[Row, ...]


Expression: TypeAlias = (
    Literal
    | Context
    | Invocation
    | FunctionBox
    | Relation
    | Sequence
    | Branch
    | Loop
    | FilterBox
    | Table
)


@dataclass(frozen=True, slots=True)
class ItemType:
    """An item definition, or a component of one."""

    name: str
    base: str = ""
    is_collection: bool = False
    allowed: str = ""
    components: "tuple[ItemType, ...]" = ()
    parameters: "tuple[str, ...] | None" = None
    """The parameters' types where it is a function."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision; requirements are ids, of other models with their namespace before ``#``."""

    id: str
    name: str
    type: str
    expression: Expression | None
    decisions: tuple[str, ...]
    inputs: tuple[str, ...]
    knowledge: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A business knowledge model."""

    id: str
    name: str
    function: FunctionBox | None
    knowledge: tuple[str, ...]
    type: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A decision service: decisions called as one function."""

    id: str
    name: str
    outputs: tuple[str, ...]
    encapsulated: tuple[str, ...]
    decisions: tuple[str, ...]
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A whole model."""

    namespace: str
    name: str
    inputs: Mapping[str, Entry]
    decisions: Mapping[str, Decision]
    knowledge: Mapping[str, Knowledge]
    services: Mapping[str, Service]
    types: Mapping[str, ItemType]
    imports: Mapping[str, str] = field(default_factory=dict)
    """Names of imported models, with their namespaces."""
