"""The questions of a form on a page that needs no script: how they are shown, and read again.

A page without script asks everything; under which condition a question counts stands beside it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.datastructures import MultiValueDict

from apps.core.sentences import said
from apps.engine import values
from apps.inbox.conditions import said_condition
from apps.steps import forms

#: So many rows a table has at least, and so many empty ones below those that are filled in.
ROWS, MORE_ROWS = 5, 3
MOST_ROWS = 10
_NUMBER = re.compile(r"-?\d+([.,]\d+)?")


@dataclass(frozen=True)
class Input:
    """Where one value is typed: ``value`` is what stands there, ``error`` what is wrong with it."""

    field: forms.Field
    name: str
    value: Any = None
    error: str = ""

    @property
    def text(self) -> str:
        """The value as it is typed; lists a line each."""
        if self.value is None or isinstance(self.value, bool | Mapping):
            return ""
        if isinstance(self.value, list):
            return "\n".join(str(one) for one in self.value)
        return values.dumps(self.value) if isinstance(self.value, int | Decimal) else self.value

    @property
    def is_ticked(self) -> bool:
        """Whether a yes stands there."""
        return self.value is True

    @property
    def choices(self) -> Sequence[tuple[str, bool]]:
        """What can be chosen, each with whether it is."""
        schema = self.field.schema if self.field.kind == "choice" else self.field.schema["items"]
        chosen = self.value if isinstance(self.value, list) else [self.value]
        return [(one, one in chosen) for one in schema["enum"]]


@dataclass(frozen=True)
class Asked:
    """A question as the page shows it."""

    field: forms.Field
    #: When it is asked, in words; empty where always.
    when: str
    input: Input
    #: Of a table: each row's cells.
    rows: tuple[tuple[Input, ...], ...] = ()

    @property
    def limits(self) -> Mapping[str, Any]:
        """What the browser can hold the answer against by itself."""
        schema = self.field.schema
        found = {
            "maxlength": schema.get("maxLength"),
            "min": schema.get("minimum"),
            "max": schema.get("maximum"),
        }
        # As text: a page would write a number in the reader's way.
        return {
            name: values.dumps(value)
            for name, value in found.items()
            if isinstance(value, int | Decimal)
        }

    @property
    def step(self) -> str:
        """In which steps a number goes."""
        if self.field.schema.get("type") == "integer":
            return "1"
        return "0.01" if self.field.kind == "amount" else "any"

    @property
    def must(self) -> bool:
        """Whether the browser may insist; where it depends, the server says."""
        return self.field.required and not self.when


def asked(
    form: object,
    given: Mapping[str, Any] | None = None,
    wrong: Iterable[Mapping[str, str]] = (),
    *,
    most_rows: int = MOST_ROWS,
) -> list[Asked]:
    """The questions of a form with what stands there and what is wrong with it.

    ``wrong`` is ``[{path, message}]`` as answers are refused with.
    """
    fields, given = forms.fields_of(form), given or {}
    titles = {one.name: one.title for one in fields}
    errors: dict[str, str] = {}
    for one in wrong:
        errors[one["path"]] = f"{errors.get(one['path'], '')} {said(one['message'])}".strip()
    return [_asked(one, titles, given.get(one.name), errors, most_rows) for one in fields]


def _asked(
    one: forms.Field,
    titles: Mapping[str, str],
    value: Any,
    errors: Mapping[str, str],
    most_rows: int,
) -> Asked:
    when = said_condition(one.condition, titles) if one.condition is not None else ""
    if one.kind != "table":
        below = [said for path, said in errors.items() if path.startswith(f"{one.name}.")]
        error = " ".join(filter(None, [errors.get(one.name, ""), *below]))
        return Asked(one, when, Input(one, one.name, value, error))
    there = value if isinstance(value, list) else []
    most = one.schema.get("maxItems")
    most = min(most, most_rows) if isinstance(most, int) else most_rows
    count = min(most, max(ROWS, len(there) + MORE_ROWS if there else 0))
    rows = tuple(
        tuple(
            Input(
                cell,
                f"{one.name}-{at}-{cell.name}",
                _cell(there, at, cell.name),
                errors.get(f"{one.name}.{at}.{cell.name}", ""),
            )
            for cell in one.columns
        )
        for at in range(count)
    )
    lines = [errors.get(one.name, "")]
    lines += [errors.get(f"{one.name}.{at}", "") for at in range(count)]
    return Asked(one, when, Input(one, one.name, None, " ".join(filter(None, lines))), rows)


def _cell(rows: Sequence[Any], at: int, name: str) -> Any:
    row = rows[at] if at < len(rows) else None
    return row.get(name) if isinstance(row, Mapping) else None


def read_answers(
    fields: tuple[forms.Field, ...],
    sent: MultiValueDict[str, str],
    *,
    most_rows: int = MOST_ROWS,
) -> dict[str, Any]:
    """What a browser without script sends, as the form's answers; empty fields are left out."""
    found: dict[str, Any] = {}
    for one in fields:
        value = _rows(one, sent, most_rows) if one.kind == "table" else _value(one, one.name, sent)
        if value is not None:
            found[one.name] = value
    return found


def _value(one: forms.Field, name: str, sent: MultiValueDict[str, str]) -> Any:
    text = (sent.get(name) or "").replace("\r\n", "\n")
    match one.kind:
        case "yes_no":
            return name in sent
        case "several":
            return sent.getlist(name) or None
        case "texts":
            return [line.strip() for line in text.split("\n") if line.strip()] or None
        case "number" | "amount":
            return _number(text.strip()) if text.strip() else None
        case "files" | "own":
            return None
    return text if text.strip() else None


def _number(text: str) -> Any:
    """The number; what is none stays as it was written, and is refused with its kind."""
    if not _NUMBER.fullmatch(text) or len(text) > 30:
        return text
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:  # pragma: no cover - the pattern has it
        return text
    return int(number) if number == number.to_integral_value() else number


def _rows(
    one: forms.Field, sent: MultiValueDict[str, str], most: int
) -> list[dict[str, Any]] | None:
    rows = []
    for at in range(most):
        row = {
            cell.name: value
            for cell in one.columns
            if (value := _value(cell, f"{one.name}-{at}-{cell.name}", sent)) is not None
        }
        if any(value is not False for value in row.values()):
            rows.append(row)
    return rows or None
