"""Reads the XML of DMN models and of the kit's test cases.

Source: OMG DMN 1.5, chapter 7 and the schema DMN15.xsd; names of elements are read without
their namespace, so that earlier versions are understood too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import ParseError, parse

from apps.engine.feel.errors import Fault
from apps.engine.feel.temporal import (
    parse_any,
    parse_date,
    parse_date_and_time,
    parse_duration,
    parse_time,
)
from tools.dmn.model import (
    Branch,
    Context,
    Decision,
    Entry,
    Expression,
    FilterBox,
    FunctionBox,
    Invocation,
    ItemType,
    Knowledge,
    Literal,
    Loop,
    Model,
    Relation,
    Row,
    Sequence,
    Service,
    Table,
    TableOutput,
)

__all__ = ["Case", "Wanted", "read_cases", "read_model"]

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]  # a comment's tag is no text, and no name we know


def _children(element: Element | None, *names: str) -> Iterator[Element]:
    for child in element if element is not None else ():
        if _tag(child) in names:
            yield child


def _child(element: Element | None, *names: str) -> Element | None:
    return next(_children(element, *names), None)


def _text(element: Element | None) -> str:
    return (element.text or "") if element is not None else ""


def _inner_text(element: Element | None) -> str:
    """The ``<text>`` of an element."""
    return _text(_child(element, "text"))


def _type_of(element: Element) -> str:
    return element.get("typeRef") or _text(_child(element, "typeRef")).strip()


def _root(path: Path) -> Element:
    root = parse(path).getroot()
    if root is None:
        raise ParseError("no element")
    return root


def read_model(path: Path) -> Model:
    """Read one ``.dmn`` file."""
    root = _root(path)
    inputs: dict[str, Entry] = {}
    decisions: dict[str, Decision] = {}
    knowledge: dict[str, Knowledge] = {}
    services: dict[str, Service] = {}
    for element in root:
        key = element.get("id") or element.get("name") or ""
        match _tag(element):
            case "inputData":
                variable = _child(element, "variable")
                type_ = _type_of(variable) if variable is not None else ""
                inputs[key] = Entry(element.get("name", ""), type_, None)
            case "decision":
                decisions[key] = _decision(key, element)
            case "businessKnowledgeModel":
                knowledge[key] = _knowledge(key, element)
            case "decisionService":
                services[key] = Service(
                    key,
                    element.get("name", ""),
                    _hrefs(element, "outputDecision"),
                    _hrefs(element, "encapsulatedDecision"),
                    _hrefs(element, "inputDecision"),
                    _hrefs(element, "inputData"),
                )
    types = [_item_type(item) for item in _children(root, "itemDefinition")]
    imports = {one.get("name", ""): one.get("namespace", "") for one in _children(root, "import")}
    return Model(
        root.get("namespace", ""),
        root.get("name", ""),
        inputs,
        decisions,
        knowledge,
        services,
        {type_.name: type_ for type_ in types},
        imports,
    )


def _hrefs(element: Element, name: str) -> tuple[str, ...]:
    return tuple(child.get("href", "").removeprefix("#") for child in _children(element, name))


def _required(element: Element, requirement: str, name: str) -> tuple[str, ...]:
    return tuple(
        href for one in _children(element, requirement) for href in _hrefs(one, name) if href
    )


def _decision(key: str, element: Element) -> Decision:
    variable = _child(element, "variable")
    return Decision(
        key,
        element.get("name", ""),
        _type_of(variable) if variable is not None else "",
        _expression(element),
        _required(element, "informationRequirement", "requiredDecision"),
        _required(element, "informationRequirement", "requiredInput"),
        _required(element, "knowledgeRequirement", "requiredKnowledge"),
    )


def _knowledge(key: str, element: Element) -> Knowledge:
    logic = _child(element, "encapsulatedLogic")
    variable = _child(element, "variable")
    return Knowledge(
        key,
        element.get("name", ""),
        _function(logic) if logic is not None else None,
        _required(element, "knowledgeRequirement", "requiredKnowledge"),
        _type_of(variable) if variable is not None else "",
    )


def _item_type(element: Element) -> ItemType:
    function = _child(element, "functionItem")
    parameters = None
    if function is not None:
        parameters = tuple(_type_of(one) for one in _children(function, "parameters"))
    return ItemType(
        element.get("name", ""),
        _text(_child(element, "typeRef")).strip(),
        element.get("isCollection") == "true",
        _inner_text(_child(element, "allowedValues")),
        tuple(_item_type(component) for component in _children(element, "itemComponent")),
        parameters,
    )


def _function(element: Element) -> FunctionBox:
    parameters = tuple(
        Entry(one.get("name", ""), _type_of(one), None)
        for one in _children(element, "formalParameter")
    )
    return FunctionBox(
        element.get("kind", "FEEL"), parameters, _expression(element), element.get("typeRef", "")
    )


def _expression(element: Element | None) -> Expression | None:
    """The first boxed expression below an element."""
    for child in element if element is not None else ():
        found = _boxed(child)
        if found is not None:
            return found
    return None


def _boxed(element: Element) -> Expression | None:
    match _tag(element):
        case "literalExpression":
            return Literal(_inner_text(element))
        case "context":
            entries = (_entry(one) for one in _children(element, "contextEntry"))
            return Context(tuple(entries))
        case "invocation":
            return Invocation(_expression(element), tuple(map(_binding, _bindings(element))))
        case "functionDefinition":
            return _function(element)
        case "relation":
            columns = tuple(one.get("name", "") for one in _children(element, "column"))
            rows = tuple(tuple(map(_boxed, row)) for row in _children(element, "row"))
            return Relation(columns, rows)
        case "list":
            skipped = {"description", "extensionElements"}
            return Sequence(tuple(_boxed(one) for one in element if _tag(one) not in skipped))
        case "decisionTable":
            return _table(element)
        case _:
            return _newer(element)


def _newer(element: Element) -> Expression | None:
    """The boxed expressions that DMN 1.4 added."""
    match _tag(element):
        case "conditional":
            parts = [_expression(_child(element, name)) for name in ("if", "then", "else")]
            return Branch(*parts)
        case "for" | "some" | "every" as kind:
            body = _child(element, "return", "satisfies")
            domain = _expression(_child(element, "in"))
            return Loop(kind, element.get("iteratorVariable", ""), domain, _expression(body))
        case "filter":
            return FilterBox(
                _expression(_child(element, "in")), _expression(_child(element, "match"))
            )
        case _:
            return None


def _entry(element: Element) -> Entry:
    variable = _child(element, "variable")
    if variable is None:
        return Entry("", "", _expression(element))
    return Entry(variable.get("name", ""), _type_of(variable), _expression(element))


def _bindings(element: Element) -> Iterator[Element]:
    return _children(element, "binding")


def _binding(element: Element) -> Entry:
    parameter = _child(element, "parameter")
    name = parameter.get("name", "") if parameter is not None else ""
    return Entry(name, "", _expression(element))


def _table(element: Element) -> Table:
    inputs = tuple(
        (_inner_text(_child(one, "inputExpression")), _inner_text(_child(one, "inputValues")))
        for one in _children(element, "input")
    )
    outputs = tuple(
        TableOutput(
            one.get("name", ""),
            one.get("typeRef", ""),
            _inner_text(_child(one, "outputValues")),
            _inner_text(_child(one, "defaultOutputEntry")),
        )
        for one in _children(element, "output")
    )
    rows = tuple(
        Row(
            tuple(_inner_text(cell) for cell in _children(rule, "inputEntry")),
            tuple(_inner_text(cell) for cell in _children(rule, "outputEntry")),
        )
        for rule in _children(element, "rule")
    )
    hit = element.get("hitPolicy", "UNIQUE")
    return Table(hit, element.get("aggregation", ""), inputs, outputs, rows)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One result that a case expects; ``is_error`` where the kit expects a failure."""

    name: str
    kind: str
    value: Any
    is_error: bool


@dataclass(frozen=True, slots=True)
class Case:
    """One test case of the kit."""

    model: str
    id: str
    description: str
    invocable: str
    inputs: dict[str, Any]
    wanted: tuple[Wanted, ...]
    labels: tuple[str, ...] = field(default=())


def read_cases(path: Path) -> list[Case]:
    """Read one file of test cases."""
    root = _root(path)
    model = _text(_child(root, "modelName")).strip()
    labels = tuple(_text(one).strip() for one in _children(_child(root, "labels"), "label"))
    return [
        Case(
            model,
            one.get("id", ""),
            " ".join(_text(_child(one, "description")).split()),
            one.get("invocableName", ""),
            {node.get("name", ""): _value(node) for node in _children(one, "inputNode")},
            tuple(
                Wanted(
                    node.get("name", ""),
                    node.get("type", "decision"),
                    _value(_child(node, "expected")),
                    node.get("errorResult") == "true",
                )
                for node in _children(one, "resultNode")
            ),
            labels,
        )
        for one in _children(root, "testCase")
    ]


def _value(element: Element | None) -> Any:
    """The value that an element of a case holds: a value, a list or components."""
    if element is None or element.get(_NIL) == "true":
        return None
    components = list(_children(element, "component"))
    if components:
        return {one.get("name", ""): _value(one) for one in components}
    for child in element:
        match _tag(child):
            case "list":
                if child.get(_NIL) == "true":
                    return None
                return [_value(item) for item in _children(child, "item")]
            case "value":
                return _simple(child)
    return None


def _simple(element: Element) -> Any:
    if element.get(_NIL) == "true":
        return None
    text = element.text or ""
    kind = element.get(_TYPE, "string").rpartition(":")[2]
    try:
        return _typed(text, kind)
    except (Fault, InvalidOperation):
        return text  # no value that FEEL has; a result is then never equal to it


def _typed(text: str, kind: str) -> Any:
    match kind:
        case "decimal" | "double" | "integer" | "int" | "long" | "float":
            return Decimal(text.strip())
        case "boolean":
            return text.strip() in {"true", "1"}
        case "date":
            return parse_date(text.strip())
        case "time":
            return parse_time(text.strip())
        case "dateTime":
            return parse_date_and_time(text.strip())
        case "duration" | "yearMonthDuration" | "dayTimeDuration":
            return parse_duration(text.strip())
        case "anySimpleType":
            return parse_any(text.strip())
        case _:
            return text
