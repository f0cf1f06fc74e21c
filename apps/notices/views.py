"""The program with which a browser shows messages while no page of ours is open."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@require_safe
def push_worker(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the same for everybody
    """At the root, because it may open pages of the whole site; it holds nothing of anybody."""
    response = HttpResponse(_source(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@cache
def _source() -> str:
    return (Path(settings.BASE_DIR) / "static" / "push-worker.js").read_text(encoding="utf-8")
