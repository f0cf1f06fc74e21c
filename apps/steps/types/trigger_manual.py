"""Start by hand.

**By hand** gives people a button, with a form if the flow needs something to start with.
"""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import Field, field_validator

from apps.steps.registry import StepModel, trigger_type


def summary(config: Mapping[str, Any]) -> str:
    names = list((config.get("form") or {}).get("properties") or {})
    return "asks for " + ", ".join(names[:3]) if names else ""


@trigger_type(
    kind="manual",
    title="By hand",
    icon="hand-click",
    summary=summary,
    default_config={"form": {"type": "object", "properties": {}}},
)
class Manual(StepModel):
    form: dict[str, Any] = Field(
        default_factory=dict, title="Form", json_schema_extra={"x-widget": "form"}
    )

    @field_validator("form")
    @classmethod
    def _schema(cls, form: dict[str, Any]) -> dict[str, Any]:
        try:
            Draft202012Validator.check_schema(form)
        except SchemaError as wrong:
            raise ValueError(f"The form is not a JSON Schema: {wrong.message}") from None
        return form
