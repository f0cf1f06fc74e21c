"""The page of a form that is open to everybody. Server-rendered; it needs no script.

GET shows, POST sends. Nothing of what somebody sends is shown again, neither by a refusal nor by
thanks: the page knows of no sent answers at all. What a machine fills in is thanked for and
dropped.
"""

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from apps.accounts import throttle
from apps.accounts.callers import ip_of
from apps.core import clock
from apps.core.errors import ProductError
from apps.core.sentences import said
from apps.flows.models import FlowState
from apps.inbox import page_fields
from apps.requests import commands, sniffing, uploads
from apps.requests.queries import public_form
from apps.steps import forms
from apps.triggers.models import Trigger

#: How long a page may stay open before it is sent.
OPEN_FOR = timedelta(hours=12)
SALT = "requests.public"
#: A name that machines fill in and people never see.
TRAP = "website"
POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)


class OpenTooLong(ProductError):
    """The page was open too long, or did not come from here."""

    code = "open_too_long"
    status = 403


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
    asked = page_fields.asked(form.config.get("form"))
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
    answers = page_fields.read_answers(fields, request.POST)
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
