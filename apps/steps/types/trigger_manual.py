"""Start by hand.

**By hand** gives people a button, with a form if the flow needs something to start with.
"""

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import Field, field_validator

from apps.steps.registry import StepModel, trigger_type


@trigger_type(
    kind="manual",
    title="By hand",
    icon="hand-click",
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
