"""The page of a form that is open to everybody. Server-rendered; it needs no script.

GET shows, POST sends. Nothing of what somebody sends is shown again, neither by a refusal nor by
thanks: the page knows of no sent answers at all. What a machine fills in is thanked for and
dropped.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from apps.accounts import throttle
from apps.accounts.authentication import ip_of
from apps.core import clock
from apps.core.errors import ProductError
from apps.core.sentences import said
from apps.engine import values
from apps.flows.models import FlowState
from apps.requests import commands, sniffing, uploads
from apps.requests.conditions import said_condition
from apps.requests.queries import public_form
from apps.steps import forms
from apps.triggers.models import Trigger

#: How long a page may stay open before it is sent.
OPEN_FOR = timedelta(hours=12)
SALT = "requests.public"
#: A name that machines fill in and people never see.
TRAP = "website"
ROWS = 5
MOST_ROWS = 10
POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
_NUMBER = re.compile(r"-?\d+([.,]\d+)?")


class OpenTooLong(ProductError):
    """The page was open too long, or did not come from here."""

    code = "open_too_long"
    status = 403


@dataclass(frozen=True)
class Asked:
    """A question as the page shows it."""

    field: forms.Field
    #: When it is asked, in words; empty where always.
    when: str
    #: Of a table: each row's cells with the names that they are sent by.
    rows: tuple[tuple[tuple[forms.Field, str], ...], ...] = ()

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


@require_http_methods(["GET", "HEAD", "POST"])
def form_page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A form, and what it sends."""
    try:
        if request.method == "POST":
            return _guarded(_sent(request, public_id))
        form = public_form(public_id)
    except ProductError as refused:
        return _guarded(_refused(request, public_id, refused))
    if "sent" in request.GET:
        return _guarded(render(request, "requests/thanks.html", {"title": form.flow.name}))
    return _guarded(_shown(request, form))


def _shown(request: HttpRequest, form: Trigger) -> HttpResponse:
    asked = [_asked(one, form) for one in forms.fields_of(form.config.get("form"))]
    return render(
        request,
        "requests/public.html",
        {
            "title": form.flow.name,
            "text": form.config.get("text") or "",
            "is_paused": form.flow.state == FlowState.PAUSED,
            "asked": asked,
            "with_files": any(one.field.kind == "files" for one in asked),
            "stamp": _stamp(form),
            "trap": TRAP,
        },
    )


def _asked(one: forms.Field, form: Trigger) -> Asked:
    titles = {each.name: each.title for each in forms.fields_of(form.config.get("form"))}
    when = said_condition(one.condition, titles) if one.condition is not None else ""
    if one.kind != "table":
        return Asked(one, when)
    most = one.schema.get("maxItems")
    count = min(most, MOST_ROWS) if isinstance(most, int) else ROWS
    rows = tuple(
        tuple((cell, f"{one.name}-{at}-{cell.name}") for cell in one.columns) for at in range(count)
    )
    return Asked(one, when, rows)


def _sent(request: HttpRequest, public_id: UUID) -> HttpResponse:
    network = throttle.network_of(ip_of(request))
    # Real time: a test that moves business time does not lift a throttle.
    throttle.take({"form.address": network, "form.all": str(public_id)}, timezone.now())
    form = public_form(public_id)
    thanks = HttpResponseRedirect(f"{reverse('public-form', args=[public_id])}?sent=1")
    if request.POST.get(TRAP):
        return thanks
    stamp = _read_stamp(request.POST.get("stamp", ""), public_id)
    fields = forms.fields_of(form.config.get("form"))
    answers = read_answers(fields, request.POST)
    files = {
        one.name: [
            uploads.known_for(form, one.name, uploads.hold_name(file.name or ""), file.read())
            for file in _files(request, one)
        ]
        for one in fields
        if one.kind == "files"
    }
    commands.send_public(
        trigger_id=public_id,
        form_hash=stamp["form"],
        answers=answers,
        files={name: some for name, some in files.items() if some},
        key=stamp["key"],
        now=clock.now(),
    )
    return thanks


def _files(request: HttpRequest, one: forms.Field) -> list[Any]:
    """What was chosen; looked at only where there are not too many of them."""
    chosen = request.FILES.getlist(one.name)
    most = uploads.Limits.of(one).count
    if len(chosen) > most:
        raise commands.AnswersRefused(
            "Some answers do not fit; each says what is expected.",
            errors=[{"path": one.name, "message": f"It must have {most} items at most."}],
        )
    return list(chosen)


def read_answers(fields: tuple[forms.Field, ...], sent: MultiValueDict[str, str]) -> dict[str, Any]:
    """What a browser without script sends, as the form's answers; empty fields are left out."""
    found: dict[str, Any] = {}
    for one in fields:
        value = _rows(one, sent) if one.kind == "table" else _value(one, one.name, sent)
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
        case "files" | "own" | "person":
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


def _rows(one: forms.Field, sent: MultiValueDict[str, str]) -> list[dict[str, Any]] | None:
    rows = []
    for at in range(MOST_ROWS):
        row = {
            cell.name: value
            for cell in one.columns
            if (value := _value(cell, f"{one.name}-{at}-{cell.name}", sent)) is not None
        }
        if any(value is not False for value in row.values()):
            rows.append(row)
    return rows or None


def _stamp(form: Trigger) -> str:
    """Names the form as it was shown, and this one look at it: what is sent twice counts once."""
    shown = {
        "of": str(form.pk),
        "form": forms.form_hash(form.config),
        "key": secrets.token_urlsafe(16),
    }
    return signing.dumps(shown, salt=SALT)


def _read_stamp(stamp: str, public_id: UUID) -> dict[str, str]:
    try:
        read: dict[str, str] = signing.loads(stamp, salt=SALT, max_age=OPEN_FOR)
    except signing.BadSignature:
        raise OpenTooLong(
            "This page was open too long. Nothing was sent; open the form again."
        ) from None
    if read["of"] != str(public_id):
        raise OpenTooLong("This page was open too long. Nothing was sent; open the form again.")
    return read


def _refused(request: HttpRequest, public_id: UUID, refused: ProductError) -> HttpResponse:
    """Why nothing was sent, by the titles of the fields alone."""
    wrong: list[tuple[str, str]] = []
    if isinstance(refused, commands.AnswersRefused):
        titles = _titles(public_id)
        wrong = [
            (titles.get(one["path"].partition(".")[0], ""), said(one["message"]))
            for one in refused.fields["errors"]
        ]
    is_gone = refused.status == 404
    answer = render(
        request,
        "requests/refused.html",
        {
            "title": gettext("There is no form here") if is_gone else gettext("Nothing was sent"),
            "message": said(refused.message),
            "wrong": wrong,
            "keeps": isinstance(
                refused, commands.AnswersRefused | sniffing.FileRefused | uploads.TooLarge
            ),
            "again": "" if is_gone else reverse("public-form", args=[public_id]),
        },
        status=refused.status,
    )
    if "retry_after" in refused.fields:
        answer["Retry-After"] = str(refused.fields["retry_after"])
    return answer


def _titles(public_id: UUID) -> dict[str, str]:
    form = public_form(public_id)
    return {one.name: one.title for one in forms.fields_of(form.config.get("form"))}


def _guarded(answer: HttpResponse) -> HttpResponse:
    """No script at all, nothing kept by whoever stands between; the browser may go back to it."""
    answer["Content-Security-Policy"] = POLICY
    answer["Cache-Control"] = "private, no-cache"
    answer["Referrer-Policy"] = "same-origin"
    return answer
