"""security.md: markup and line breaks, wherever they come from, are shown as text or refused."""

import json
from email import message_from_bytes, policy

import pytest
from django.core import mail

from apps.accounts.models import Membership
from apps.connections import commands as connections
from apps.core import clock, outbox
from apps.flows.models import Flow
from apps.runs.models import Run
from tests.inbox.support import Desk
from tests.runs.support import cursor_of_this_thread, document
from tests.support import people
from tests.support.servers import Server

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7919*7907 }}'
BROKEN = "Name\r\nBcc: everybody@evil.test"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


@pytest.fixture
def desk(db):
    return Desk()


@pytest.fixture
def whole(transactional_db, valkey, monkeypatch):
    """A desk whose effects can be done: they have connections of their own."""
    monkeypatch.setattr("apps.runs.drive._cursor", cursor_of_this_thread)
    return Desk()


def as_text(answer):
    """Nothing of ours or of theirs in the page is markup that somebody typed."""
    source = answer.content.decode()
    if "html" in answer["Content-Type"]:
        assert "<script>alert" not in source
        assert "<img src=x" not in source
        assert "62615533" not in source
    else:
        assert answer["Content-Type"].startswith(("application/json", "application/problem+json"))
    assert answer["X-Content-Type-Options"] == "nosniff"
    return source


class TestNames:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "flows/", {"name": "…"}),
            ("POST", "teams/", {"slug": "legal", "name": "…"}),
            ("POST", "tokens/", {"name": "…"}),
            ("PATCH", "me/", {"name": "…"}),
            ("POST", "allowed-hosts/", {"host": "a.test", "port": 443, "reason": "…"}),
            ("POST", "allowed-hosts/", {"host": "…", "port": 443, "reason": "x"}),
            ("POST", "teams/", {"slug": "…", "name": "Legal"}),
            ("POST", "invitations/", {"email": "…", "roles": ["viewer"]}),
            ("PUT", "secrets/%3Cscript%3E/", {"value": "v", "hosts": []}),
            ("PUT", "secrets/crm/", {"value": "v", "hosts": ["…"]}),
        ],
    )
    def test_of_everything_that_has_one(self, desk, method, path, body):
        """Markup is kept as text where a name may hold it; a line break is never a name."""
        boss = people.browser(desk.someone("boss", "admin", "builder"))
        for typed in (EVIL, BROKEN):
            wanted = {name: typed if value == "…" else value for name, value in body.items()}
            answer = people.send(boss, method, f"/api/v1/{path}", wanted)
            source = as_text(answer)
            assert answer.status_code in {200, 201, 409, 422}, source
            if typed == BROKEN and "…" in body.values():
                shown = json.loads(source)
                refused = answer.status_code == 422
                assert refused or "\n" not in json.dumps(shown).replace("\\n", "\n"), shown

    def test_of_flows_steps_ports_people_in_pages_and_console(self, desk):
        ada = desk.someone("ada")
        ada.name = EVIL
        ada.save()
        task = desk.ask_named(
            "ada", title=EVIL, details=EVIL, fields=[{"label": EVIL, "value": EVIL}]
        )
        Flow.objects.filter(pk=task.flow_id).update(name=EVIL)
        desk.decide(task, ada, comment=EVIL + "\nsecond line")
        desk.run_of(task)
        boss = people.browser(desk.someone("boss", "admin", "auditor", "viewer"))
        reader = people.browser(ada)
        member = Membership.objects.get(user=ada)
        version = Flow.objects.get(pk=task.flow_id).active_version_id
        pages = [
            (reader, "/inbox/list/?state=done"),
            (reader, f"/inbox/{task.pk}/"),
            (reader, f"/api/v1/tasks/{task.pk}/"),
            (reader, "/sign-out/"),
            (boss, "/admin/"),
            (boss, "/admin/flows/flow/"),
            (boss, f"/admin/flows/flow/{task.flow_id}/change/"),
            (boss, f"/admin/flows/flow/{task.flow_id}/history/"),
            (boss, f"/admin/flows/flowversion/{version}/change/"),
            (boss, "/admin/accounts/membership/"),
            (boss, f"/admin/accounts/membership/{member.pk}/change/"),
            (boss, "/admin/inbox/usertask/"),
            (boss, f"/admin/inbox/usertask/{task.pk}/change/"),
            (boss, "/admin/audit/auditevent/"),
            (boss, "/admin/audit/auditevent/?q=" + "%3Cscript%3Ealert(1)%3C/script%3E"),
            (boss, f"/api/v1/runs/{task.run_id}/"),
            (boss, "/api/v1/audit/"),
        ]
        for browser, path in pages:
            answer = browser.get(path)
            assert answer.status_code == 200, path
            as_text(answer)

    @pytest.mark.parametrize("name", [EVIL, "a\r\nb", "<b>", "", "a" * 300])
    def test_of_steps_and_ports_are_checked_before_publishing(self, desk, name):
        doc = document(
            {
                "which": {
                    "type": "decide",
                    "config": {"branches": [{"port": name, "when": "true"}], "otherwise": "else"},
                },
                name: {"type": "stop", "config": {"outcome": "completed"}},
            },
            ["trigger -> which"],
        )
        builder = people.browser(desk.owner)
        flow = people.send(builder, "POST", "/api/v1/flows/", {"name": "Names"}).json()
        answer = people.send(
            builder, "POST", f"/api/v1/flows/{flow['id']}/check/", {"document": doc}
        )
        as_text(answer)
        assert [one for one in answer.json()["findings"] if one["severity"] == "error"]


class TestPayloads:
    def test_are_json_to_programs_and_text_to_people(self, desk):
        task = desk.ask_named(
            "ada",
            body={"amount": 1, "evil": {EVIL: [EVIL, {EVIL: BROKEN}]}},
            fields=[{"label": "Evil", "value": "= trigger.body.evil"}],
        )
        ada = people.browser(desk.someone("ada"))
        assert "&lt;script&gt;" in as_text(ada.get(f"/inbox/{task.pk}/"))
        viewer = people.browser(desk.someone("eye", "viewer"))
        for path in (f"runs/{task.run_id}/", f"runs/{task.run_id}/journal/"):
            as_text(viewer.get(f"/api/v1/{path}"))

    @pytest.mark.parametrize("query", ["?search=", "?state=", "?cursor=", "?limit="])
    def test_in_an_address_come_back_as_text_or_not_at_all(self, desk, query):
        browser = people.browser(desk.someone("eye", "viewer", "auditor"))
        for path in ("flows/", "runs/", "tasks/", "audit/", "nothing/"):
            as_text(browser.get(f"/api/v1/{path}{query}%3Cscript%3Ealert(1)%3C/script%3E%0d%0aX:y"))
        for path in ("/inbox/list/", "/sign-in/", "/flows/"):
            as_text(browser.get(f"{path}{query}%22%3E%3Cscript%3Ealert(1)%3C/script%3E"))

    @pytest.mark.parametrize("target", ["/flows/%0d%0aSet-Cookie:%20a=b", "/\r\nX: y", "/a\nb"])
    def test_line_breaks_in_a_redirect_start_no_header(self, desk, target):
        browser = people.browser(desk.owner)
        answer = browser.get("/sign-in/", {"next": target})
        assert answer.status_code in {302, 400}
        assert "Set-Cookie" not in answer
        assert not {"\r", "\n"} & set(answer.get("Location", ""))


def sent_mail(desk, **config):
    doc = document(
        {"tell": {"type": "mail.send", "title": "Tell", "config": config}}, ["trigger -> tell"]
    )
    run_id = desk.start(desk.publish(doc), {"broken": BROKEN, "evil": EVIL})
    desk.settle()
    return Run.objects.get(pk=run_id)


class TestMail:
    @pytest.mark.parametrize(
        "config",
        [
            {"to": ["a@b.test"], "subject": "= trigger.body.broken", "text": "x"},
            {"to": ["= trigger.body.broken"], "subject": "x", "text": "x"},
            {"to": ["a@b.test\r\nBcc: c@d.test"], "subject": "x", "text": "x"},
        ],
    )
    def test_line_breaks_in_its_headers_add_no_header(self, whole, config):
        run = sent_mail(whole, **config)
        for one in mail.outbox:
            parsed = message_from_bytes(one.message().as_bytes())
            assert parsed["Bcc"] is None
            assert len(one.recipients()) == 1
            assert "evil.test" not in str(one.recipients())
        assert run.status == "completed" or run.error["message"]
        assert mail.outbox or run.status == "failed"

    def test_is_plain_text_whatever_names_hold(self, whole):
        run = sent_mail(
            whole, to=["a@b.test"], subject="= trigger.body.evil", text="= trigger.body.evil"
        )
        assert run.status == "completed"
        (one,) = mail.outbox
        assert one.message().get_content_type() == "text/plain"
        assert EVIL in one.body

    def test_about_a_task_and_a_failure_too(self, desk):
        desk.ask_named("ada", title=f"{EVIL} {BROKEN}")
        doc = document(
            {
                "sum": {
                    "type": "map",
                    "title": EVIL,
                    "config": {"fields": {"n": "= trigger.body.n + 1"}},
                }
            },
            ["trigger -> sum"],
        )
        version = desk.publish(doc)
        Flow.objects.filter(pk=version.flow_id).update(name=EVIL)
        desk.start(version, {})
        desk.settle()
        while outbox.relay():
            pass
        assert len(mail.outbox) == 2
        for one in mail.outbox:
            message = message_from_bytes(one.message().as_bytes(), policy=policy.default)
            plain, rich = message.iter_parts()
            assert (plain.get_content_type(), rich.get_content_type()) == (
                "text/plain",
                "text/html",
            )
            assert "alert(1)" in plain.get_content()
            assert "<script" not in rich.get_content()
            assert "<img src=x" not in rich.get_content()
            assert "\n" not in one.subject
            assert message["Bcc"] is None


class TestOutgoing:
    @pytest.mark.parametrize(
        "change",
        [
            {"url": "http://127.0.0.1:{port}/a\r\nX-Evil: 1"},
            {"url": '= "http://127.0.0.1:{port}/" + trigger.body.broken'},
            {"headers": {"X-Name": "= trigger.body.broken"}},
            {"headers": {"X-Name\r\nX-Evil": "1"}},
        ],
    )  # fmt: skip
    def test_line_breaks_in_urls_and_http_headers_are_refused(self, whole, change):
        server = Server(OK)
        boss = whole.actor(whole.someone("boss", "admin"))
        connections.allow_host(
            actor=boss, host="127.0.0.1", port=server.port, reason="test", now=clock.now()
        )
        config = {"method": "GET", "url": f"http://127.0.0.1:{server.port}/", **change}
        config["url"] = config["url"].replace("{port}", str(server.port))
        doc = document({"call": {"type": "http.request", "config": config}}, ["trigger -> call"])
        run_id = whole.start(whole.publish(doc), {"broken": BROKEN})
        whole.settle()
        run = Run.objects.get(pk=run_id)
        for request in server.requests:  # escaped in the path, at most; never a line of its own
            assert b"\r\nX-Evil" not in request
            assert b"\r\nBcc" not in request
        assert run.status in {"failed", "paused"} or server.requests
        assert run.status != "paused", run.error
