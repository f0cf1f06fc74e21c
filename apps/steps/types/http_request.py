"""Call a web address and pass the answer on.

Use **Send HTTP request** when there is no ready-made connector. The step tries again when the
other side is busy (408, 429, 5xx) or silent; any other 4xx answer leaves by `error` at once.
Every try carries the same `Idempotency-Key`, so that the other side can drop repeats.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Literal
from urllib.parse import SplitResult, urlencode, urlsplit, urlunsplit

from pydantic import Field

from apps.engine import values
from apps.engine.graph import Behaviour
from apps.steps.findings import Flaw, is_template
from apps.steps.outcomes import Exit, StepError
from apps.steps.registry import (
    EffectContext,
    SecretRef,
    StepModel,
    Template,
    TemplateValue,
    step_type,
)

RETRIED = frozenset({408, 429})


class Retry(StepModel):
    max_attempts: int = Field(4, ge=1, le=20, title="Tries")
    first_delay_s: float = Field(1, ge=0, le=3600, title="Seconds before the second try")


class Config(StepModel):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = Field("POST", title="Method")
    url: Template = Field(
        min_length=1, max_length=4000, title="Address", examples=["https://api.example.org/v1"]
    )
    headers: dict[str, Template | SecretRef] = Field(
        default_factory=dict,
        title="Headers",
        json_schema_extra={"x-widget": "fields", "x-secret": True},
    )
    query: dict[str, Template | SecretRef] = Field(
        default_factory=dict,
        title="Query",
        json_schema_extra={"x-widget": "fields", "x-secret": True},
    )
    body: TemplateValue = Field(
        None,
        title="Body",
        json_schema_extra={"x-widget": "value", "x-feel": "template", "x-secret": True},
    )
    timeout_s: float = Field(30, gt=0, le=300, title="Seconds to wait for an answer")
    retry: Retry = Field(default_factory=Retry, title="Try again")
    on_unknown: Literal["repeat", "fail"] = Field(
        "repeat",
        title="If no answer tells whether it arrived",
        json_schema_extra={
            "x-labels": {"repeat": "Send it again, under the same key", "fail": "Leave by error"}
        },
    )


class Output(StepModel):
    status: int
    headers: dict[str, str]
    body: Any


def check(config: Mapping[str, Any]) -> Iterator[Flaw]:
    """The address and the headers, where they are written out."""
    url = config.get("url")
    if isinstance(url, str) and not is_template(url) and not _is_address(url):
        yield Flaw(
            "bad_address",
            ("url",),
            f"“{url[:100]}” is not an http or https address.",
            "Write the whole address, such as https://api.example.org/v1.",
        )
    headers = config.get("headers")
    for name, text in headers.items() if isinstance(headers, Mapping) else ():
        if any(sign in f"{name}{text}" for sign in "\r\n\0") and not is_template(text):
            yield Flaw(
                "bad_header",
                ("headers", name),
                "This header holds a line break.",
                "Write its name and value on one line.",
            )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


@step_type(
    kind="http.request",
    version=1,
    title="Send HTTP request",
    category="Network",
    icon="world-share",
    behaviour=Behaviour.EFFECT,
    ports=("done", "error"),
    config=Config,
    output=Output,
    default_config={"method": "POST", "url": ""},
    check=check,
    fails_unlinked=("error",),
    timeout=timedelta(seconds=300),
)
def run(config: Config, ctx: EffectContext) -> Exit:
    url, headers, content = _request(config, ctx)
    answer = ctx.http(
        config.method, url, headers=headers, content=content, timeout_s=config.timeout_s
    )
    output = {
        "status": answer.status,
        "headers": {name: ctx.mask(value) for name, value in answer.headers.items()},
        "body": _body(ctx.mask(_text(answer)), answer.headers.get("content-type", "")),
    }
    if answer.status < 400:
        return Exit("done", output)
    transient = answer.status in RETRIED or answer.status >= 500
    raise StepError(
        "http_status",
        f"{_shown(url)} answered {answer.status}.",
        error_class="transient" if transient else "permanent",
        output=output,
        retry_after=_retry_after(answer.headers.get("retry-after", "")),
    )


def _request(config: Config, ctx: EffectContext) -> tuple[str, dict[str, str], bytes]:
    parts = urlsplit(config.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise StepError("bad_address", f"“{config.url[:100]}” is not an http or https address.")
    fill = partial(ctx.fill, host=parts.hostname, port=_port(parts))
    plain = config.model_dump(include={"headers", "query", "body"})
    headers = {name: str(text) for name, text in fill(plain["headers"]).items()}
    for name, text in headers.items():
        if any(sign in name + text for sign in "\r\n\0"):
            raise StepError(
                "bad_header", f"The header “{name[:60]}” holds a line break; take it out."
            )
    query = fill(plain["query"])
    if query:
        joined = "&".join(filter(None, [parts.query, urlencode(query)]))
        parts = parts._replace(query=joined)
    names = {name.lower() for name in headers}
    content = b""
    body = fill(plain["body"])
    if body is not None and config.method not in {"GET", "HEAD"}:
        content = body.encode() if isinstance(body, str) else values.dumps(body).encode()
        if "content-type" not in names:
            kind = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
            headers["Content-Type"] = kind
    if "idempotency-key" not in names:
        headers["Idempotency-Key"] = ctx.idempotency_key
    return urlunsplit(parts._replace(fragment="")), headers, content


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise StepError("bad_address", f"“{parts.netloc[:100]}” has no port that exists.") from None


def _text(answer: Any) -> str:
    return (
        bytes(answer.content).decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    )


def _body(text: str, content_type: str) -> Any:
    """JSON where the answer says so and it is; else the text. HTML with status 200 stays text."""
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return values.loads(text)
        except values.BadJson as refused:
            raise StepError(
                "bad_answer",
                f"The answer says it is JSON but is not: {refused}",
                error_class="permanent",
            ) from None
    return text


def _retry_after(header: str) -> timedelta | None:
    if header.strip().isdigit():
        return timedelta(seconds=min(int(header), 86_400))
    try:
        wish = parsedate_to_datetime(header) - datetime.now(UTC)
    except (TypeError, ValueError):
        return None
    return min(max(wish, timedelta(0)), timedelta(days=1))


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rsplit('@', 1)[-1]}{parts.path}"
