"""Start with a request.

The **Request** trigger puts a form on the page *Requests*. Whoever may ask fills it in, and reads
there in plain words who has it and until when. Open to the public, it has an address of its own
that nobody needs to sign in for.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from apps.steps import forms
from apps.steps.findings import Flaw, at
from apps.steps.registry import StepModel, trigger_type

#: What cannot be asked of somebody who is not signed in.
_FOR_MEMBERS = {"person": "a person"}


def check(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """What people could not fill in."""
    form = at(config, "form")
    if not isinstance(form, Mapping):
        return
    if not forms.fields_of(form):
        yield Flaw("empty_form", ("form",), "The form asks nothing.", "Add a question.", "warning")
    if config.get("open_to") != "public":
        return
    for one in forms.fields_of(form):
        if one.kind in _FOR_MEMBERS or one.kind == "own":
            yield Flaw(
                "not_for_the_public",
                ("form", "properties", one.name),
                f"“{one.title}” asks for {_FOR_MEMBERS.get(one.kind, 'what a page cannot show')};"
                " whoever is not signed in cannot answer that.",
                "Ask for a text instead, or open the form to members only.",
            )


@trigger_type(
    kind="form",
    title="Request",
    icon="forms",
    default_config={"form": {"type": "object", "properties": {}}, "open_to": "members"},
    check=check,
)
class RequestForm(StepModel):
    text: str = Field(
        "",
        max_length=2000,
        title="What it is for",
        description="Stands above the form and in the list of what people may ask for.",
        json_schema_extra={"x-widget": "text"},
    )
    open_to: Literal["runners", "members", "public"] = Field(
        "members",
        title="Who may ask",
        json_schema_extra={
            "x-labels": {
                "runners": "Who may start the flow",
                "members": "All members",
                "public": "Everybody, without signing in",
            }
        },
    )
    form: dict[str, Any] = Field(
        default_factory=dict, title="Form", json_schema_extra={"x-widget": "form"}
    )

    @field_validator("form")
    @classmethod
    def _schema(cls, form: dict[str, Any]) -> dict[str, Any]:
        for flaw in forms.flaws_of(form):
            raise ValueError(flaw)
        return form
