"""The health route, the page that carries the browser's app, and addresses that there are not."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import defaults
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from apps.core.errors import ProductError
from apps.core.http import PROBLEM, problem_body

API = "/api/"
MANIFEST = Path(settings.BASE_DIR) / "static" / "build" / ".vite" / "manifest.json"
ENTRY = "src/app/main.tsx"


@require_safe
def health(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """200 once the database answers, else 503; the supervisor and Docker ask it."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except Exception:  # noqa: BLE001 - whatever it is, the answer is "not healthy"
        return JsonResponse({"status": "database away"}, status=503)
    return JsonResponse({"status": "ok"})


@require_safe
@login_required
@ensure_csrf_cookie
def app_shell(request: HttpRequest, page: str) -> HttpResponse:  # noqa: ARG001 - the route's name for it
    """The React app, for every page of it. The browser's router reads the address."""
    return render(request, "app.html", {"entry": built_entry()})


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that there is not: to programs as every other refusal, to people as a page."""
    if not request.path.startswith(API):
        return defaults.page_not_found(request, exception)
    return _problem(404, "not_found", "There is nothing at this address.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that cannot be read, such as one for a host that is not ours."""
    if not request.path.startswith(API):
        return defaults.bad_request(request, exception)
    return _problem(400, "bad_request", "The request cannot be read; nothing was changed.")


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours; what it was stands in the log and nowhere else."""
    if not request.path.startswith(API):
        return defaults.server_error(request)
    return _problem(500, "fault", "Something is wrong with Signalbox itself; try again later.")


def _problem(status: int, code: str, detail: str) -> HttpResponse:
    error = ProductError(detail)
    error.code, error.status = code, status
    body = {**problem_body(error), "title": code.replace("_", " ").capitalize()}
    return JsonResponse(body, status=status, content_type=PROBLEM)


def built_entry() -> dict[str, list[str]]:
    """Scripts and style sheets of the front end's build: ``{scripts, styles, preloads}``."""
    return _read_entry(MANIFEST.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _read_entry(_changed_at: int) -> dict[str, list[str]]:
    manifest: dict[str, Any] = json.loads(MANIFEST.read_text())
    styles: list[str] = []
    preloads: list[str] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        chunk = manifest[name]
        styles.extend(f"build/{sheet}" for sheet in chunk.get("css", []))
        for imported in chunk.get("imports", []):
            preloads.append(f"build/{manifest[imported]['file']}")
            visit(imported)

    visit(ENTRY)
    return {"scripts": [f"build/{manifest[ENTRY]['file']}"], "styles": styles, "preloads": preloads}
