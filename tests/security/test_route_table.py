"""security.md: a committed table of route x role x grant x other workspace; an unlisted route fails."""

import json
import re
from base64 import b64encode
from copy import deepcopy
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver

from apps.audit.models import AuditEvent
from apps.steps.forms import form_hash
from tests.security.world import ASKING, CALLERS, DOCUMENT, SAMPLE, World, outcome
from tests.support import people

TABLE = Path(__file__).with_name("routes.txt")
REASON = {"reason": "Because of the table"}
PEOPLE_FILE = b64encode(b"mail,department\nview@acme.test,Buying\n").decode()

BODIES = {
    "PATCH /api/v1/me/": {"theme": "dark"},
    "POST /api/v1/me/workspace/": {"slug": "acme"},
    "POST /api/v1/me/password/": {"current": "not it", "new": "eleven other green lamps"},
    "PATCH /api/v1/members/{member}/": {"roles": ["auditor"]},
    "POST /api/v1/invitations/": {"email": "fresh@acme.test", "roles": ["viewer"]},
    "POST /api/v1/teams/": {"slug": "legal", "name": "Legal"},
    "PATCH /api/v1/teams/{team}/": {"name": "Money"},
    "POST /api/v1/tokens/": {"name": "ci"},
    "PUT /api/v1/flows/{flow}/grants/": {"grants": []},
    "PUT /api/v1/secrets/{secret}/": {"value": "x", "hosts": []},
    "POST /api/v1/allowed-hosts/": {"host": "erp.internal", "port": 8443, "reason": "orders"},
    "PUT /api/v1/calendar/": {
        "zone": "UTC",
        "hours": [[{"from": "09:00", "to": "12:00"}]] * 7,
        "holidays": [],
    },
    "PUT /api/v1/members/{member}/place/": {"department": "Buying"},
    **{
        f"PUT /api/v1/{whose}/calendar/": {
            "zone": "UTC",
            "hours": [[{"from": "09:00", "to": "12:00"}]] * 7,
            "holidays": [],
        }
        for whose in ("members/{member}", "teams/{team}")
    },
    **{
        f"POST /api/v1/members/import/{then}": {"file": PEOPLE_FILE, "reason": "The list"}
        for then in ("", "preview/")
    },
    "POST /api/v1/members/{member}/rehome/": {"to": "run@acme.test", **REASON},
    "POST /api/v1/tasks/{task}/hand-over/": {"to": "deputy@acme.test", **REASON},
    "POST /api/v1/tasks/{task}/exceptions/": REASON,
    "POST /api/v1/tasks/{task}/take-back/": REASON,
    "POST /api/v1/tasks/{task}/questions/": {"text": "Why?", "of": "deputy@acme.test"},
    "POST /api/v1/questions/{question}/answer/": {"text": "Because."},
    "POST /api/v1/tasks/reassign/": {
        "person": "{approver}",
        "to": "deputy@acme.test",
        **REASON,
    },
    "POST /api/v1/delegations/": {
        "to": "deputy@acme.test",
        "begins_at": "2020-01-01T00:00:00Z",
        "ends_at": "2199-01-01T00:00:00Z",
    },
    "POST /api/v1/flows/": {"name": "Another"},
    "PATCH /api/v1/flows/{flow}/": {"name": "Renamed"},
    "PUT /api/v1/flows/{flow}/draft/": {**DOCUMENT, "layout": {"trigger": [9, 9]}},
    "POST /api/v1/flows/{flow}/publish/": {"note": "third"},
    "POST /api/v1/flows/{flow}/restore/": {"version": 1},
    "POST /api/v1/flows/{flow}/runs/": {"input": {"amount": 3}},
    "POST /api/v1/flows/{flow}/samples/": {"text": '{"amount": 3}'},
    "POST /api/v1/flows/{flow}/send-test/": {"sample": str(SAMPLE), "to": "flow"},
    "POST /api/v1/flows/{flow}/test-plan/": {"kind": "dry", "sample": str(SAMPLE)},
    "POST /api/v1/flows/{flow}/test-runs/": {
        "kind": "dry",
        "sample": str(SAMPLE),
        "announced": ["ask", "end"],
    },
    "POST /api/v1/evaluate/": {"expression": "1 + 1"},
    "POST /api/v1/trigger-preview/": {"cron": "0 9 * * *", "zone": "UTC"},
    "POST /api/v1/events/": {
        "specversion": "1.0",
        "id": "2",
        "source": "shop",
        "type": "order.made",
    },
    "POST /api/v1/tasks/{task}/decide/": {"outcome": "approved"},
    "PUT /api/v1/tasks/{task}/draft/": {"form_hash": "0" * 64, "answers": {}},
    "POST /api/v1/task-filters/": {"name": "Large ones", "filter": {"search": "large"}},
    "PUT /api/v1/request-forms/{form}/draft/": {
        "form_hash": form_hash(ASKING["trigger"]["config"]),
        "answers": {"what": "A desk"},
    },
    "POST /api/v1/requests/": {
        "flow": "{form}",
        "form_hash": form_hash(ASKING["trigger"]["config"]),
        "answers": {"what": "A desk"},
    },
    "POST /api/v1/alerts/read/": {"all": True},
    "PUT /api/v1/me/notifications/": {"choices": {}, "quiet": None, "digest_at": None},
    "POST /api/v1/me/notifications/test/": {"channel": "mail"},
    "POST /api/v1/me/notifications/browsers/": {
        "endpoint": "https://9.9.9.9/a",
        "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SR"
            "pkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
    },
    "PUT /api/v1/me/notifications/chat/": {"url": "https://9.9.9.9/hook"},
    "PUT /api/v1/chat/": {"with_titles": True, "groups": ["tasks"]},
    "POST /api/v1/runs/{run}/pause/": REASON,
    "POST /api/v1/runs/pause/": {"filter": {"status": "waiting"}, **REASON},
    "POST /api/v1/runs/resume/": {"filter": {"status": "paused"}, **REASON},
    "POST /api/v1/runs/cancel/": {"filter": {"status": "waiting"}, **REASON},
    "POST /api/v1/runs/replay/": {"filter": {"status": "failed"}, **REASON},
    "POST /api/v1/audit/evidence/": {
        "from": "2026-01-01",
        "to": "2026-12-31",
        "lists": ["changes", "access"],
    },
    "POST /api/v1/audit/destinations/": {
        "name": "Another",
        "kind": "syslog_tcp",
        "address": "logs.example.com:6514",
    },
    "PATCH /api/v1/audit/destinations/{destination}/": {"is_paused": True},
    "POST /api/v1/operations/stop/": REASON,
    "POST /api/v1/operations/resume/": REASON,
}
QUERIES = {
    "GET /api/v1/tasks/bulk/": "?tasks={task}&outcome=approved",
    "GET /api/v1/runs/latest/": "?flows={flow}",
    "GET /api/v1/audit/consistency/": "?from=1&to=1",
}
HEADERS = {
    "PUT /api/v1/flows/{flow}/draft/": {"If-Match": '"{revision}"'},
    "POST /api/v1/flows/{flow}/restore/": {"If-Match": '"{revision}"'},
}

#: What a browser's forms send: to the pages before sign-in, the inbox and the console.
FORMS = {
    "POST /inbox/{task}/": {"outcome": "approved", "comment": ""},
    "POST /inbox/{task}/hand-over/": {"to": "deputy@acme.test", **REASON},
    "POST /inbox/{task}/exceptions/": REASON,
    "POST /inbox/{task}/ask/": {"question": "Why?", "of": "deputy@acme.test"},
    "POST /inbox/questions/{question}/": {"answer": "Because."},
    "POST /admin/flows/flow/{flow}/change/": {"state": "paused", **REASON},
    "POST /admin/accounts/membership/{member}/change/": {
        "is_active": "on",
        "roles": "auditor",
        **REASON,
    },
    "POST /admin/accounts/apitoken/{token}/change/": {"revoke": "on", **REASON},
}

#: Reads that are themselves an event: who took the data away is in the trail.
NOTED_READS = re.compile(
    r"GET /api/v1/(export/|files/|audit/(bundle|consistency|{event}/proof|evidence/{pack}/file)/"
    r"|tasks/{answered}/decisions/{decision}/evidence/)"
)
#: Writes with nothing for the trail: they keep nothing, or only what one has seen.
QUIET = {
    "POST /api/v1/flows/{flow}/check/": "says what is wrong with a document",
    "POST /api/v1/flows/{flow}/test-plan/": "says what a test would do",
    "POST /api/v1/evaluate/": "says what an expression gives",
    "POST /api/v1/trigger-preview/": "says when a schedule would fire",
    "POST /api/v1/members/import/preview/": "says what a file would do",
    "POST /api/v1/alerts/read/": "what one has read is one's own",
    "PUT /api/v1/request-forms/{form}/draft/": "a draft is one's own until it is sent",
    "DELETE /api/v1/tasks/{task}/draft/": "a draft is one's own until it is sent",
    "DELETE /api/v1/request-forms/{form}/draft/": "a draft is one's own until it is sent",
}
#: The console takes forms at ``change/`` alone; elsewhere a POST is only looked at as a GET is.
CONSOLE_READS = re.compile(r"POST /admin/(?!.*/change/$)")


def rows(part=None):
    """``(route, {caller: outcome})`` of every line, of one part of the table or of all."""
    for line in TABLE.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            method, path, *outcomes = line.split()
            if part is None or part_of(path) == part:
                yield f"{method} {path}", dict(zip(CALLERS, outcomes, strict=True))


def part_of(path):
    return next((part for part in ("api", "admin", "ws") if path.startswith(f"/{part}/")), "pages")


def routes(patterns=None, prefix=""):
    """``METHOD /path/{}/`` of every route of the product that Django answers."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, path)
            continue
        assert isinstance(entry, URLPattern)
        view = getattr(entry.callback, "view_class", None) or getattr(entry.callback, "cls", None)
        # A function may look at any method; what it does with POST must be said.
        methods = ("get", "post") if view is None or path.startswith("admin/") else (
            method for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)
        )  # fmt: skip
        for method in methods:
            yield f"{method.upper()} /{plain(path)}"


def plain(pattern):
    """An address with ``{}`` for whatever varies in it."""
    pattern = re.sub(r"\(\?![^)]*\)", "", pattern)
    pattern = re.sub(r"\(\?P<[^)]*\)", "{}", pattern)
    return re.sub(r"<[^>]+>|{[a-z]+}", "{}", pattern).replace("^", "").replace("$", "")


@pytest.fixture
def world(db):
    return World()


def ask(world, caller, route):
    """One request of one caller."""
    method, _, path = route.partition(" ")
    address = path.format(**{"nowhere": "nowhere", "page": "runs/", "app": "flows", **world.ids})
    browser = world.browsers[caller]
    headers = {name: value.format(**world.ids) for name, value in HEADERS.get(route, {}).items()}
    if part_of(path) == "api":
        query = QUERIES.get(route, "").format(**world.ids)
        body = json.loads(
            json.dumps(BODIES.get(route, {}))
            .replace("{approver}", str(world.users["approver"].pk))
            .replace("{form}", str(world.ids["form"]))
        )
        return people.send(browser, method, address + query, body, **headers)
    browser.cookies["csrftoken"] = "a" * 32
    send = partial(browser.generic, method, address, headers={"X-CSRFToken": "a" * 32})
    if method == "GET":
        return send()
    form = {**FORMS.get(route, {}), "seen": world.seen, "owner": str(world.users["builder"].pk)}
    return send(data=urlencode(form), content_type="application/x-www-form-urlencoded")


def tried(world, caller, route):
    """What came of it and how many rows it left in the trail; then everything is as before."""
    browser = world.browsers[caller]
    cookies = deepcopy(browser.cookies)
    with transaction.atomic():
        before = AuditEvent.objects.count()
        answer = ask(world, caller, route)
        if answer.streaming:
            b"".join(answer.streaming_content)
        written = AuditEvent.objects.count() - before
        transaction.set_rollback(True)
    browser.cookies = cookies
    return outcome(answer), written


def fault(route, found, written, caller):
    """What is wrong with the rows that a request left in the trail; empty where nothing is."""
    is_success = found.startswith("2") or found == "302"
    if route == "POST /sign-out/" and caller != "none":
        is_success = True
    if route.startswith("GET "):
        if NOTED_READS.match(route) and is_success:
            return "" if written else "no row in the trail"
        return f"{written} rows in the trail" if written else ""
    if not is_success:
        return f"{written} rows in the trail" if written else ""
    changes = route not in QUIET and not CONSOLE_READS.match(route)
    return "no row in the trail" if changes and not written else ""


@pytest.mark.parametrize(
    "part",
    [
        pytest.param("api", marks=pytest.mark.slow),
        "pages",
        pytest.param("admin", marks=pytest.mark.slow),
    ],
)
def test_route_x_role_x_grant_x_other_workspace(world, part):
    """And every change leaves a row in the trail; a read or a refusal leaves none of its own."""
    wrong = []
    for route, expected in rows(part):
        for caller, status in expected.items():
            found, written = tried(world, caller, route)
            if found != status:
                wrong.append(f"{route} as {caller}: {found}, not {status}")
            elif said := fault(route, found, written, caller):
                wrong.append(f"{route} as {caller}: {said}")
    assert not wrong, "\n".join(wrong)


def test_an_unlisted_route_fails():
    listed = {plain(route) for route, _ in rows()}
    assert set(routes()) == {route for route in listed if not route.startswith("WS ")}
