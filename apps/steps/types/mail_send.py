"""Send a mail.

Use **Send mail** to tell people who do not work in Signalbox. For a decision use
**Approval**: mails get lost, tasks do not.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import Field

from apps.engine.graph import Behaviour
from apps.steps.findings import Flaw, is_template
from apps.steps.outcomes import Exit, StepError
from apps.steps.registry import (
    EffectContext,
    StepModel,
    Template,
    TemplateValue,
    step_type,
)

ADDRESS = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]{1,255}")


class Config(StepModel):
    to: TemplateValue = Field(
        title="To", json_schema_extra={"x-widget": "addresses", "x-feel": "template"}
    )
    subject: Template = Field(min_length=1, max_length=300, title="Subject")
    text: Template = Field(
        min_length=1,
        max_length=100_000,
        title="Text",
        json_schema_extra={"x-feel": "template", "x-widget": "text"},
    )


class Output(StepModel):
    message_id: str
    to: list[str]


def check(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """Addresses and the subject, where they are written out."""
    to = config.get("to")
    parts = to if isinstance(to, list) else [to]
    if not any(is_template(part) for part in parts):
        try:
            addresses(to)
        except StepError as wrong:
            yield Flaw(
                wrong.code, ("to",), wrong.message, "Write addresses such as ann@example.org."
            )
    subject = config.get("subject")
    if (
        isinstance(subject, str)
        and not is_template(subject)
        and ("\r" in subject or "\n" in subject)
    ):
        yield Flaw(
            "bad_subject", ("subject",), "The subject holds a line break.", "Write it on one line."
        )


@step_type(
    kind="mail.send",
    version=1,
    title="Send mail",
    category="People",
    icon="mail",
    behaviour=Behaviour.EFFECT,
    ports=("done", "error"),
    config=Config,
    output=Output,
    default_config={"to": "", "subject": "", "text": ""},
    check=check,
    fails_unlinked=("error",),
    timeout=timedelta(seconds=30),
)
def run(config: Config, ctx: EffectContext) -> Exit:
    to = addresses(config.to)
    if any(sign in config.subject for sign in "\r\n"):
        raise StepError("bad_subject", "The subject holds a line break; take it out.")
    message_id = ctx.send_mail(to=to, subject=config.subject, text=config.text)
    return Exit("done", {"message_id": message_id, "to": [*to]})


def addresses(value: Any) -> list[str]:
    """One address, several by commas, or a list of them; each is checked."""
    found = value.split(",") if isinstance(value, str) else value
    if not isinstance(found, list) or not found or len(found) > 50:
        raise StepError("bad_address", "Give one to 50 mail addresses.")
    cleaned = [one.strip() if isinstance(one, str) else "" for one in found]
    for one in cleaned:
        if not ADDRESS.fullmatch(one):
            raise StepError("bad_address", f"“{str(one)[:80]}” is not a mail address.")
    return cleaned
