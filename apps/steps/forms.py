"""Forms that people fill in: a JSON Schema of named fields, some asked only under a condition.

A condition is plain JSON Schema, so that whoever reads the form can hold an answer against it:
``allOf`` holds, for each such field, ``{if, then, else: {properties: {field: false}}}``. Its ``if``
reads fields that stand before. What is not asked may not be answered.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from apps.engine import values
from apps.engine.canonical import content_hash
from apps.steps import contracts
from apps.steps.contracts import Misfit, found_faults

Kind = Literal[
    "text", "long", "number", "amount", "date", "choice", "several", "texts", "yes_no", "person",
    "table", "files", "own",
]  # fmt: skip
#: The trigger that people fill in on the page of requests, and all triggers with a form.
REQUEST: Final = "form"
WITH_FORM: Final = frozenset({"manual", REQUEST})
#: The names that an answer of files has for each of them; the server fills them in.
FILE_NAMES: Final = ("id", "name", "type", "size", "sha256")
FILE_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "type": {"type": "string"},
        "size": {"type": "integer"},
        "sha256": {"type": "string"},
    },
    "required": list(FILE_NAMES),
    "additionalProperties": False,
}
MOST_FIELDS: Final = 100
MOST_ROWS: Final = 200
MOST_FILES: Final = 10
#: Of a text that names no limit of its own.
MOST_CHARACTERS: Final = 20_000
_AT_FIELDS: Final = (
    (re.compile("lacks “[^”]+”( and “[^”]+”)*"), "needs an answer"),
    (re.compile("has “[^”]+”( and “[^”]+”)*, which is not asked for"), "is not asked for"),
)
_NAMED = re.compile("“([^”]+)”")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Field:
    """One question. ``condition`` is a JSON Schema of all answers; None where it is always asked.

    ``required``: an answer is needed where it is asked. ``columns`` are those of a table.
    """

    name: str
    kind: Kind
    title: str
    help: str
    required: bool
    schema: Mapping[str, Any]
    condition: Any = None
    columns: "tuple[Field, ...]" = field(default=())


def form_hash(config: Mapping[str, Any]) -> str:
    """Names the form of a trigger: all that its config says."""
    return content_hash(config)


def fields_of(form: object) -> tuple[Field, ...]:
    """The questions in the order in which they are asked: ``x-order``, then the others."""
    if not isinstance(form, Mapping):
        return ()
    properties = form.get("properties")
    if not isinstance(properties, Mapping):
        return ()
    needed, rules = _names(form.get("required")), _rules(form)
    found = []
    for name in ordered_names(form):
        schema = properties[name] if isinstance(properties[name], Mapping) else {}
        condition, needs = rules.get(name, (None, False))
        found.append(
            Field(
                name,
                kind_of(schema),
                _text(schema.get("title")) or name,
                _text(schema.get("description")),
                name in needed or needs,
                schema,
                condition,
                fields_of(schema.get("items")) if kind_of(schema) == "table" else (),
            )
        )
    return tuple(found)


def ordered_names(form: Mapping[str, Any]) -> list[str]:
    """The names of the fields as the form wants them asked."""
    properties = form.get("properties")
    known = list(properties) if isinstance(properties, Mapping) else []
    wanted = [one for one in _names(form.get("x-order")) if one in known]
    return list(dict.fromkeys([*wanted, *known]))


def kind_of(schema: Mapping[str, Any]) -> Kind:
    """How a question is asked; ``own`` where the schema says more than a form can show."""
    widget, type_ = schema.get("x-widget"), schema.get("type")
    if isinstance(schema.get("enum"), list):
        return "choice" if all(isinstance(one, str) for one in schema["enum"]) else "own"
    match type_:
        case "string" if widget == "person":
            return "person"
        case "string" if schema.get("format") == "date":
            return "date"
        case "string":
            return "long" if widget == "text" else "text"
        case "number" | "integer":
            return "amount" if widget == "amount" else "number"
        case "boolean":
            return "yes_no"
        case "array":
            return _kind_of_list(widget, schema.get("items"))
    return "own"


def _kind_of_list(widget: object, item: object) -> Kind:
    if not isinstance(item, Mapping):
        return "own"
    if widget == "files":
        return "files"
    if isinstance(item.get("enum"), list):
        return "several"
    if item.get("type") == "object":
        return "table"
    return "texts" if item.get("type") == "string" else "own"


def asked_fields(form: object, answers: Mapping[str, Any]) -> list[Field]:
    """The questions that these answers lead to. An answer that is not asked for leads to none."""
    known: dict[str, Any] = {}
    found = []
    for one in fields_of(form):
        if one.condition is not None and found_faults(one.condition, known, most=1):
            continue
        found.append(one)
        if one.name in answers:
            known[one.name] = answers[one.name]
    return found


def only_asked(form: object, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers to the questions that are asked; what was answered before is dropped."""
    names = [one.name for one in asked_fields(form, answers)]
    return {name: answers[name] for name in names if name in answers}


def judge(form: object, answers: Mapping[str, Any], *, most: int = 50) -> list[Misfit]:
    """Why answers do not fit a form, each with its field; empty where they do.

    Dates must be dates, and a text or a table that names no limit has one all the same.
    """
    asked = asked_fields(form, answers)
    as_asked = _as_asked(form, asked)
    found = [each for one in found_faults(as_asked, answers, most=most) for each in _at_fields(one)]
    if as_asked is not form:
        # However many there are, each is said at its field.
        found += [
            Misfit(one.name, "needs an answer")
            for one in asked
            if one.required and one.name not in answers
        ]
    seen = {one.path.partition(".")[0] for one in found}
    more = [
        one
        for each in asked
        if each.name in answers and each.name not in seen
        for one in _beyond(each, answers[each.name], each.name)
    ]
    return [*found, *more][:most]


def _as_asked(form: object, asked: list[Field]) -> object:
    """The form with the questions that are asked, and no other; another shape as it is."""
    if not isinstance(form, Mapping) or (without_conditions(form) is form and "allOf" in form):
        return form
    return {
        **{name: value for name, value in form.items() if name not in {"allOf", "required"}},
        "type": "object",
        "properties": {one.name: one.schema for one in asked},
        "additionalProperties": False,
    }


def _at_fields(one: Misfit) -> list[Misfit]:
    """What is missing, or too much, is said at each field."""
    for pattern, message in _AT_FIELDS:
        if pattern.fullmatch(one.message):
            names = _NAMED.findall(one.message)
            return [Misfit(f"{one.path}.{name}" if one.path else name, message) for name in names]
    return [one]


def _beyond(one: Field, value: Any, path: str) -> Iterator[Misfit]:
    """What JSON Schema does not say."""
    match one.kind:
        case "date" if not _is_day(value):
            yield Misfit(path, "must be a date such as 2026-03-31")
        case "text" | "long" if one.required and not str(value).strip():
            yield Misfit(path, "needs an answer")
        case "text" | "long" if len(str(value)) > MOST_CHARACTERS:
            yield Misfit(path, f"must have {MOST_CHARACTERS} characters at most")
        case "several" | "texts" | "table" | "files" if one.required and not value:
            yield Misfit(path, "needs an answer")
        case "table" if isinstance(value, list):
            yield from _rows(one, value, path)


def _rows(one: Field, rows: list[Any], path: str) -> Iterator[Misfit]:
    if len(rows) > MOST_ROWS:
        yield Misfit(path, f"must have {MOST_ROWS} items at most")
        return
    for at, row in enumerate(rows):
        for cell in one.columns:
            if isinstance(row, Mapping) and cell.name in row:
                yield from _beyond(cell, row[cell.name], f"{path}.{at}.{cell.name}")


def _is_day(value: object) -> bool:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def smallest(form: object, day: date) -> dict[str, Any]:
    """The least that can be filled in, for a trial: what needs an answer, by its kind."""
    found = {}
    for one in fields_of(form):
        if one.required and one.condition is None:
            found[one.name] = _least(one, day)
    return found


def _least(one: Field, day: date) -> Any:
    match one.kind:
        case "number" | "amount":
            least = one.schema.get("minimum", 0)
            return least if isinstance(least, int | Decimal) else 0
        case "date":
            return day.isoformat()
        case "choice":
            return next(iter(one.schema["enum"]), "")
        case "several":
            return one.schema["items"]["enum"][:1]
        case "table":
            return [{cell.name: _least(cell, day) for cell in one.columns if cell.required}]
        case "yes_no":
            return False
        case "texts" | "files":
            return []
    return ""


def flaws_of(form: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a form, a sentence each."""
    if flaw := contracts.schema_flaw(form):
        yield f"The form is not a JSON Schema that can be held: {flaw}."
        return
    found = fields_of(form)
    if len(found) > MOST_FIELDS:
        yield f"A form asks at most {MOST_FIELDS} questions; this one has {len(found)}."
    for one in found:
        yield from _flaws_of_field(one)
    yield from _flaws_of_conditions(found)


def _flaws_of_field(one: Field) -> Iterator[str]:
    if one.kind == "choice" and not one.schema["enum"]:
        yield f"“{one.title}” offers nothing to choose."
    if one.kind == "several" and not one.schema["items"]["enum"]:
        yield f"“{one.title}” offers nothing to choose."
    if one.kind == "table" and not one.columns:
        yield f"“{one.title}” is a table without a column."
    if any(cell.kind in {"table", "files", "own"} for cell in one.columns):
        yield f"“{one.title}” has a column that is a table or files; ask for those on their own."


def _flaws_of_conditions(found: tuple[Field, ...]) -> Iterator[str]:
    known: set[str] = set()
    for one in found:
        if one.condition is not None and (odd := read_by(one.condition) - known):
            yield f"“{one.title}” depends on “{min(odd)}”, which is not asked before it."
        known.add(one.name)


def without_conditions(form: object) -> object:
    """The form as if nothing were asked under a condition; another shape as it is."""
    if not isinstance(form, Mapping) or "allOf" not in form:
        return form
    if len(_rules(form)) < len(form["allOf"]):
        return form
    return {name: value for name, value in form.items() if name != "allOf"}


def read_by(condition: object) -> set[str]:
    """The fields that a condition reads."""
    found: set[str] = set()
    if isinstance(condition, Mapping):
        properties = condition.get("properties")
        if isinstance(properties, Mapping):
            found |= set(properties)
        found |= set(_names(condition.get("required")))
        for word in ("allOf", "anyOf"):
            parts = condition.get(word)
            found |= {name for one in parts or () for name in read_by(one)}
        found |= read_by(condition.get("not"))
    return found


def _rules(form: Mapping[str, Any]) -> dict[str, tuple[Any, bool]]:
    """By field: under which condition it is asked, and whether it is needed then."""
    found: dict[str, tuple[Any, bool]] = {}
    for rule in form.get("allOf") or ():
        if not isinstance(rule, Mapping) or "if" not in rule:
            continue
        otherwise = rule.get("else")
        hidden = otherwise.get("properties") if isinstance(otherwise, Mapping) else None
        then = rule.get("then")
        needed = _names(then.get("required")) if isinstance(then, Mapping) else []
        for name, schema in (hidden or {}).items() if isinstance(hidden, Mapping) else ():
            if schema is False:
                found[name] = (rule["if"], name in needed)
    return found


def _names(found: object) -> list[str]:
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""


def size_of(answers: object) -> int:
    """How much answers take, in characters of JSON."""
    return len(values.dumps(answers))
