"""The pages before sign-in. Server-rendered; none of them needs a script."""

from __future__ import annotations

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django import forms
from django.conf import settings
from django.contrib.auth import authenticate, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts import commands, queries, throttle
from apps.accounts.callers import ip_of
from apps.accounts.forms import JoinForm, NewPasswordForm, PlainForm, ResetForm, SignInForm
from apps.accounts.models import Invitation, Role, User
from apps.accounts.sessions import SessionStore
from apps.core import clock
from apps.core.errors import NotFound, ProductError

_PAGE = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@_PAGE
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Mail address and password; what follows (a second factor, later) is allauth's stages."""
    onward = _onward(request)
    if request.method != "POST":
        if request.user.is_authenticated:
            return HttpResponseRedirect(onward)
        notice = gettext("Your password is set. Sign in with it.") if "done" in request.GET else ""
        return _sign_in_page(request, SignInForm(), notice=notice)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_page(request, form, status=422)
    email, password = form.cleaned_data["email"], form.cleaned_data["password"]
    visit = _visit(request)
    tries = {"sign_in.account": email, "sign_in.address": throttle.network_of(visit.ip)}
    try:
        # Real time: a test that moves business time does not lift a throttle.
        throttle.take(tries, timezone.now())
    except throttle.TooManyTries as refused:
        form.add_error(None, _wait_text(refused))
        response = _sign_in_page(request, form, status=429)
        response["Retry-After"] = str(refused.fields["retry_after"])
        return response
    user = authenticate(request, email=email, password=password)
    if not isinstance(user, User):
        commands.note_failed_sign_in(email=email, visit=visit, now=clock.now())
        form.add_error(None, gettext("Mail address and password do not fit together."))
        return _sign_in_page(request, form, status=422)
    throttle.give_back(tries)
    return _come_in(request, user, onward)


@never_cache
@_PAGE
def sign_out(request: HttpRequest) -> HttpResponse:
    """A page with one button, and what the button does."""
    if request.method != "POST":
        if not request.user.is_authenticated:
            return HttpResponseRedirect(reverse("account_login"))
        return render(request, "accounts/sign_out.html")
    actor = getattr(request, "actor", None)
    logout(request)
    if actor is not None:
        commands.note_sign_out(actor=actor, now=clock.now())
    return HttpResponseRedirect(reverse("account_login"))


@never_cache
@_PAGE
def reset(request: HttpRequest) -> HttpResponse:
    """Ask for a link by mail. The answer is the same whoever asks for whomever."""
    form = ResetForm(request.POST or None)
    if request.method != "POST":
        return render(request, "accounts/reset.html", {"form": form})
    if not form.is_valid():
        return render(request, "accounts/reset.html", {"form": form}, status=422)
    email, visit = form.cleaned_data["email"], _visit(request)
    try:
        throttle.take(
            {"reset.account": email, "reset.address": throttle.network_of(visit.ip)},
            timezone.now(),
        )
    except throttle.TooManyTries as refused:
        form.add_error(None, _wait_text(refused))
        return render(request, "accounts/reset.html", {"form": form}, status=429)
    commands.ask_for_reset(email=email, visit=visit, now=clock.now())
    return HttpResponseRedirect(reverse("account_reset_password_done"))


@never_cache
@require_safe
def reset_sent(request: HttpRequest) -> HttpResponse:
    """What to do next."""
    return render(request, "accounts/reset_sent.html")


@never_cache
@_PAGE
@sensitive_post_parameters("password")
def reset_confirm(request: HttpRequest, value: str) -> HttpResponse:
    """Where the link in the mail leads. Looking at it uses nothing up."""
    form = NewPasswordForm(request.POST or None)
    try:
        _slow_down_guessing(request)
        if request.method != "POST":
            queries.reset_of(value, clock.now())
        elif form.is_valid():
            commands.reset_password(token=value, new=form.cleaned_data["password"], now=clock.now())
            return HttpResponseRedirect(reverse("account_login") + "?done=1")
    except commands.WeakPassword as weak:
        _add_reasons(form, weak)
    except ProductError as refused:
        return _refused(request, gettext("This link does not work"), refused)
    return _unreferred(
        render(
            request,
            "accounts/new_password.html",
            {"form": form},
            status=422 if form.is_bound else 200,
        )
    )


@never_cache
@_PAGE
@sensitive_post_parameters("password")
def invitation(request: HttpRequest, value: str) -> HttpResponse:
    """Where an invitation's link leads. Looking at it uses nothing up."""
    now = clock.now()
    try:
        _slow_down_guessing(request)
        row = queries.invitation_of(value, now)
        known = User.objects.filter(email=row.email).first()
        if known is None or not queries.can_sign_in(known):
            return _join_as_new(request, row, value)
        if request.user != known:
            return _invitation_page(request, row, PlainForm(), must_sign_in=True)
        if request.method != "POST":
            return _invitation_page(request, row, PlainForm())
        commands.accept_invitation(token=value, user=known, now=now)
    except ProductError as refused:
        return _refused(request, gettext("This invitation does not work"), refused)
    request.session[queries.WORKSPACE_KEY] = str(row.workspace_id)
    return HttpResponseRedirect(resolve_url(settings.LOGIN_REDIRECT_URL))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """A form without, or with somebody else's, proof that it came from our own page."""
    return render(
        request,
        "accounts/refused.html",
        {
            "heading": gettext("This page was open too long"),
            "message": gettext("Nothing was changed. Load the page again and send the form anew."),
            "back": reverse("account_login"),
            "back_text": gettext("Back to sign-in"),
        },
        status=403,
    )


def _join_as_new(request: HttpRequest, row: Invitation, value: str) -> HttpResponse:
    form = JoinForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _invitation_page(request, row, form)
    try:
        user = commands.accept_invitation(
            token=value,
            name=form.cleaned_data["name"],
            password=form.cleaned_data["password"],
            now=clock.now(),
        )
    except commands.WeakPassword as weak:
        _add_reasons(form, weak)
        return _invitation_page(request, row, form)
    except commands.BadName as bad:
        form.add_error("name", bad.message)
        return _invitation_page(request, row, form)
    user.backend = settings.AUTHENTICATION_BACKENDS[0]
    return _come_in(request, user, resolve_url(settings.LOGIN_REDIRECT_URL))


def _come_in(request: HttpRequest, user: User, onward: str) -> HttpResponse:
    """Through allauth's stages into a session with a new id."""
    visit = _visit(request)
    if isinstance(request.session, SessionStore):
        request.session.ip, request.session.user_agent = visit.ip, visit.user_agent
    response: HttpResponse = perform_password_login(
        request, {"email": user.email}, Login(user=user, redirect_url=onward)
    )
    return response


def _invitation_page(
    request: HttpRequest, row: Invitation, form: forms.Form, *, must_sign_in: bool = False
) -> HttpResponse:
    context = {
        "form": form,
        "invitation": row,
        "roles": [str(Role(role).label) for role in row.roles],
        "must_sign_in": must_sign_in,
    }
    status = 422 if form.is_bound and form.errors else 200
    return _unreferred(render(request, "accounts/invitation.html", context, status=status))


def _sign_in_page(
    request: HttpRequest, form: SignInForm, *, notice: str = "", status: int = 200
) -> HttpResponse:
    return render(request, "accounts/sign_in.html", {"form": form, "notice": notice}, status=status)


def _onward(request: HttpRequest) -> str:
    """Where to go after sign-in: ``next`` if it stays on this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def _visit(request: HttpRequest) -> commands.Visit:
    return commands.Visit(ip_of(request), request.headers.get("User-Agent", ""))


def _wait_text(refused: throttle.TooManyTries) -> str:
    minutes = refused.fields["minutes"]
    return ngettext(
        "Too many tries. Wait %(minutes)d minute and try again.",
        "Too many tries. Wait %(minutes)d minutes and try again.",
        minutes,
    ) % {"minutes": minutes}


def _slow_down_guessing(request: HttpRequest) -> None:
    throttle.take({"link.address": throttle.network_of(ip_of(request))}, timezone.now())


def _add_reasons(form: forms.Form, weak: commands.WeakPassword) -> None:
    for reason in weak.fields["reasons"] or [weak.message]:
        form.add_error("password", reason)


def _refused(request: HttpRequest, heading: str, refused: ProductError) -> HttpResponse:
    context = {
        "heading": heading,
        "message": refused.message,
        "back": reverse("account_login"),
        "back_text": gettext("Back to sign-in"),
    }
    status = 404 if isinstance(refused, NotFound) else refused.status
    return _unreferred(render(request, "accounts/refused.html", context, status=status))


def _unreferred(response: HttpResponse) -> HttpResponse:
    # The address of this page is a key; not even our own files need to be told it.
    response["Referrer-Policy"] = "no-referrer"
    return response
