"""A form that people fill in at a task: what an approval and the step that asks for details share.

Files are not attached at a task: they belong to a request. What is filled in is an object of named
values, held against the form of the version that asks.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from apps.steps import forms
from apps.steps.findings import Flaw
from apps.steps.registry import TemplateValue


def _schema(form: dict[str, Any]) -> dict[str, Any]:
    for flaw in forms.flaws_of(form) if form else ():
        raise ValueError(flaw)
    return form


TaskForm = Annotated[
    dict[str, Any],
    AfterValidator(_schema),
    Field(json_schema_extra={"x-widget": "form"}),
]
Beforehand = dict[str, TemplateValue]


def check(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """What could not be filled in, and what is filled in beforehand though nobody is asked it."""
    form = config.get("form")
    if not isinstance(form, Mapping):
        return
    asked = forms.fields_of(form)
    for one in asked:
        path = ("form", "properties", one.name)
        if one.kind == "files":
            yield Flaw(
                "not_at_a_task",
                path,
                f"“{one.title}” asks for files; those are attached to a request, not here.",
                "Ask for them in the form that starts the flow, or ask for a text here.",
            )
        if one.kind == "own":
            yield Flaw(
                "not_at_a_task",
                path,
                f"“{one.title}” says more than a page can show.",
                "Ask for a text, a number, a date, a choice or a table instead.",
            )
    initial = config.get("initial")
    known = {one.name for one in asked}
    for name in initial if isinstance(initial, Mapping) else ():
        if name not in known:
            yield Flaw(
                "unknown_question",
                ("initial", name),
                f"“{str(name)[:60]}” is filled in beforehand, but the form does not ask for it.",
                "Choose the name of a question, or remove it.",
            )


def asked(
    form: Mapping[str, Any], initial: Mapping[str, Any], outcomes: Sequence[str]
) -> dict[str, Any]:
    """What a task keeps of its form beside the form itself, which its version has; empty without.

    ``{"form": {"for": the answers that need it, "initial": what is filled in beforehand}}``. What
    an expression gives as nothing is left open.
    """
    names = [one.name for one in forms.fields_of(form)]
    if not names:
        return {}
    given = {name: initial[name] for name in names if initial.get(name) is not None}
    return {"form": {"for": list(outcomes), "initial": given}}


def output_of(config: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The JSON Schema of ``answers`` in the step's output; None where nothing is filled in."""
    form = config.get("form")
    return form if isinstance(form, Mapping) and forms.fields_of(form) else None
