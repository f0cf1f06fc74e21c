"""Start when another system calls.

The **Webhook** has an address of its own. Calls are verified, checked and stored before they
are answered, and a repeat of a call starts nothing twice.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from apps.steps.findings import Flaw, at
from apps.steps.registry import Feel, StepModel, trigger_type


class Signature(StepModel):
    scheme: Literal["none", "hmac-sha256", "github", "standard-webhooks"] = Field(
        "none",
        title="Scheme",
        json_schema_extra={
            "x-labels": {
                "none": "Not signed",
                "hmac-sha256": "HMAC-SHA256",
                "github": "GitHub",
                "standard-webhooks": "Standard Webhooks",
            }
        },
    )
    secret: str = Field(
        "",
        max_length=100,
        title="Secret",
        json_schema_extra={
            "x-widget": "secret",
            "x-when": {"scheme": ["hmac-sha256", "github", "standard-webhooks"]},
        },
    )
    header: str = Field(
        "X-Signature",
        max_length=100,
        title="Header",
        json_schema_extra={"x-when": {"scheme": "hmac-sha256"}},
    )
    encoding: Literal["hex", "base64"] = Field(
        "hex", title="Encoding", json_schema_extra={"x-when": {"scheme": "hmac-sha256"}}
    )
    prefix: str = Field(
        "",
        max_length=50,
        title="Text before the signature",
        json_schema_extra={"x-when": {"scheme": "hmac-sha256"}},
    )
    timestamp_header: str = Field(
        "",
        max_length=100,
        title="Header with the time",
        json_schema_extra={"x-when": {"scheme": "hmac-sha256"}},
    )
    tolerance_s: int = Field(
        300,
        ge=1,
        le=300,
        title="Seconds a call may be old",
        json_schema_extra={"x-when": {"scheme": "hmac-sha256"}},
    )

    @model_validator(mode="after")
    def _secret_named(self) -> "Signature":
        if self.scheme != "none" and not self.secret:
            raise ValueError("Choose the secret that signs the calls.")
        return self


def check(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """Whether a stranger can start the flow."""
    if at(config, "signature", "scheme") in {None, "none"}:
        yield Flaw(
            "unsigned",
            ("signature", "scheme"),
            "Calls are not signed: whoever knows the address can start this flow.",
            "Choose a signature scheme and the secret that the caller signs with.",
            severity="warning",
        )


@trigger_type(
    kind="webhook",
    title="Webhook",
    icon="webhook",
    default_config={"path": "", "signature": {"scheme": "none"}},
    check=check,
)
class Webhook(StepModel):
    path: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,4}$",
        title="Address",
        examples=["orders"],
    )
    signature: Signature = Field(default_factory=Signature, title="Signature")
    dedupe: Feel | None = Field(None, title="Same call if equal")
    masked: list[str] = Field(
        default_factory=list,
        max_length=50,
        title="Fields never stored in the clear",
        json_schema_extra={"x-widget": "list"},
    )
