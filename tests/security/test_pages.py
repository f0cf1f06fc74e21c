"""security.md: CSP on every page, as written; nothing from another host; nothing inline."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from tests.security.test_route_table import rows
from tests.security.world import World

POLICY = {
    "default-src 'self'",
    "script-src 'self' 'nonce-…'",
    "style-src 'self' 'nonce-…'",
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "worker-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}
#: Of a form that is open to everybody: it runs nothing at all.
PUBLIC = {
    "default-src 'none'",
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
#: Everything that makes a browser ask or go somewhere by itself, and what a click asks.
ASKING = re.compile(
    r"""(?:src|srcset|href|action|formaction|poster|data|content|ping)\s*=\s*["']?\s*"""
    r"""((?:[a-z]+:)?//[^"'\s>]+)""",
    re.IGNORECASE,
)
INLINE_SCRIPT = re.compile(r"<script\b(?![^>]*\bsrc=)(?![^>]*\bnonce=)[^>]*>", re.IGNORECASE)
INLINE_STYLE = re.compile(r"<style\b(?![^>]*\bnonce=)[^>]*>", re.IGNORECASE)
HANDLER = re.compile(r"<[^>]+\son[a-z]+\s*=\s*[\"']", re.IGNORECASE)


@pytest.fixture
def pages(db):
    """``(address, answer)`` of every page there is, those of the console too, and of refusals."""
    world = World()
    ids = {**world.ids, "nowhere": "nowhere", "page": "runs/", "app": "flows"}
    addresses = [route.removeprefix("GET ").format(**ids) for route, _ in rows() if is_page(route)]
    addresses += ["/", "/flows/", "/settings/", "/api/v1/nothing/", "/inbox/?state=done"]
    found = []
    for caller in ("none", "admin", "approver"):
        browser = world.browsers[caller]
        found += [(f"{address} as {caller}", browser.get(address)) for address in addresses]
    found.append(("a form that is not ours", world.browsers["admin"].post("/sign-out/")))
    return found


def is_page(route):
    return route.startswith("GET ") and (
        "/api/" not in route or route.endswith(("/docs/", "/openapi.json", "/me/", "/flows/"))
    )


def directives(answer):
    header = re.sub(
        r"'nonce-[A-Za-z0-9+/=_-]{16,}'", "'nonce-…'", answer["Content-Security-Policy"]
    )
    return {part.strip() for part in header.split(";") if part.strip()}


def nonce_of(answer):
    found = re.search(r"'nonce-([^']+)'", answer["Content-Security-Policy"])
    return found[1] if found else None


def test_csp_on_every_page_exactly_as_written(pages):
    wrong = []
    for name, answer in pages:
        said = directives(answer)
        # A page that uses no nonce need not have one made.
        plain = {one.replace(" 'nonce-…'", "") for one in POLICY}
        wanted = [PUBLIC] if name.startswith("/forms/") else [POLICY, plain]
        if said not in wanted:
            wrong.append(f"{name}: {sorted(said ^ wanted[0])}")
        if "unsafe-eval" in answer["Content-Security-Policy"]:
            wrong.append(f"{name}: unsafe-eval")
    assert not wrong, "\n".join(wrong)


def test_a_nonce_is_used_once(world_client):
    nonces = {nonce_of(world_client.get("/flows/")) for _ in range(3)}
    assert None not in nonces
    assert len(nonces) == 3


@pytest.fixture
def world_client(client_as):
    return client_as("builder")


def test_nosniff_referrer_policy_and_no_frames_on_every_page(pages):
    for name, answer in pages:
        assert answer["X-Content-Type-Options"] == "nosniff", name
        # An address that is itself a key tells nobody at all.
        wanted = {"same-origin", "no-referrer"} if "nowhere" in name else {"same-origin"}
        assert answer["Referrer-Policy"] in wanted, name
        assert answer["X-Frame-Options"] == "DENY", name
        assert "Access-Control-Allow-Origin" not in answer, name


def test_no_page_asks_another_host_for_anything(pages):
    for name, answer in pages:
        if "html" in answer["Content-Type"]:
            assert not ASKING.findall(answer.content.decode()), name


def test_no_page_has_anything_inline(pages):
    for name, answer in pages:
        if "html" in answer["Content-Type"]:
            html = answer.content.decode()
            for inline in (INLINE_SCRIPT, INLINE_STYLE, HANDLER):
                assert not inline.findall(html), name
            assert "javascript:" not in html, name


def test_no_style_sheet_or_script_of_ours_loads_from_another_host():
    asks = re.compile(r"""@import|url\(\s*["']?(?:https?:)?//|importScripts\(\s*["']http""")
    for path in Path(settings.BASE_DIR, "static").rglob("*.css"):
        assert not asks.search(path.read_text()), path


def test_api_docs_come_from_the_sidecar_and_ask_nobody_else(world_client):
    page = world_client.get("/api/v1/docs/").content.decode()
    assert "drf_spectacular_sidecar/swagger-ui-dist" in page
    script = re.search(r'<script src="([^"]*script[^"]*)"', page)
    assert script
    code = world_client.get(script[1].replace("&amp;", "&")).content.decode()
    assert '"validatorUrl": null' in code or "validatorUrl: null" in code


def test_hsts_where_the_connection_is_secure(settings, db):
    settings.SECURE_HSTS_SECONDS = 31_536_000
    answer = Client().get("/sign-in/", secure=True)
    assert answer["Strict-Transport-Security"].startswith("max-age=31536000")


def test_answers_of_the_api_are_kept_by_nobody(world_client):
    for path in ("/api/v1/me/", "/api/v1/flows/", "/api/v1/nothing/"):
        assert world_client.get(path)["Cache-Control"] == "no-store"
