"""A form that is open to everybody: no sign-in, no script, nothing shown again, machines held off."""

import re
from datetime import timedelta

import pytest
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts import throttle
from apps.audit.models import AuditEvent
from apps.core import clock
from apps.flows import commands as flows
from apps.inbox.models import UserTask
from apps.requests import public
from apps.requests.models import File, Request
from apps.runs.drive import drive_all
from apps.runs.models import Run
from apps.steps.check import check_document
from apps.triggers.models import Trigger
from tests.requests.support import FORM, Counter, asking
from tests.requests.test_uploads import FILES, PDF
from tests.support import people

pytestmark = pytest.mark.django_db(transaction=True)

WIDE = {
    "type": "object",
    "properties": {
        "what": {"type": "string", "title": "What <b>"},
        "count": {"type": "integer", "title": "Count", "minimum": 1},
        "price": {"type": "number", "title": "Price", "x-widget": "amount"},
        "by": {"type": "string", "format": "date", "title": "By"},
        "kind": {"type": "string", "enum": ["Chair", "Desk"], "title": "Kind"},
        "extras": {
            "type": "array",
            "items": {"type": "string", "enum": ["Delivery", "Assembly"]},
            "title": "Extras",
        },
        "urgent": {"type": "boolean", "title": "Urgent"},
        "names": {"type": "array", "items": {"type": "string"}, "title": "Names"},
        "lines": {
            "type": "array",
            "title": "Lines",
            "items": {
                "type": "object",
                "properties": {"item": {"type": "string"}, "n": {"type": "integer"}},
            },
        },
        "offers": FILES,
    },
    "required": ["what"],
}


class Passer:
    """Somebody with a browser, and no account."""

    def __init__(self, counter):
        self.client = Client(enforce_csrf_checks=True)
        self.path = f"/forms/{Trigger.objects.get(flow=counter.flow).pk}/"
        self.page = self.client.get(self.path)

    @property
    def html(self):
        return self.page.content.decode()

    def hidden(self, name):
        return re.findall(rf'name="{name}" value="([^"]*)"', self.html)[0]

    def send(self, csrf=True, stamp=None, **fields):
        body = {"stamp": self.hidden("stamp") if stamp is None else stamp, **fields}
        if csrf:
            body["csrfmiddlewaretoken"] = self.hidden("csrfmiddlewaretoken")
        answer = self.client.post(self.path, body)
        drive_all()
        return answer


@pytest.fixture
def counter(transactional_db, settings, tmp_path):
    settings.HOME = tmp_path
    settings.SCANNER = ""
    return Counter(open_to="public")


@pytest.fixture
def passer(counter):
    return Passer(counter)


SMALL = {"what": "A chair", "price": "40"}


def test_is_shown_without_signing_in_and_needs_no_script(passer):
    assert passer.page.status_code == 200
    assert "<script" not in passer.html
    policy = passer.page["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert "Only if “Price” is 100 or more." in passer.html


def test_starts_a_run_without_a_requester(passer):
    sent = passer.send(**SMALL)
    assert (sent.status_code, sent["Location"]) == (302, f"{passer.path}?sent=1")
    thanks = passer.client.get(sent["Location"])
    assert b"Thank you" in thanks.content
    assert b"A chair" not in thanks.content
    request = Request.objects.get()
    run = Run.objects.get(pk=request.run_id)
    assert (request.person_id, run.started_by, run.trigger_type) == (None, "", "form")
    assert UserTask.objects.get().requester is None
    row = AuditEvent.objects.get(verb="request.send")
    assert (row.actor_kind, row.actor_id) == ("system", "public-form")


def test_twice_is_once(passer):
    assert [passer.send(**SMALL).status_code for _ in range(2)] == [302, 302]
    assert Run.objects.count() == 1


def test_refuses_without_showing_what_was_sent(passer):
    refused = passer.send(what="SECRET " * 20, price="many")
    assert refused.status_code == 422
    assert b"SECRET" not in refused.content
    assert b"many" not in refused.content
    assert b"It must be a number" in refused.content
    assert b"what you have written is still there" in refused.content
    assert not Run.objects.exists()


def test_what_is_asked_under_a_condition_is_needed_then_and_dropped_else(passer, counter):
    refused = passer.send(what="A desk", price="100")
    assert refused.status_code == 422
    assert b"Why" in refused.content
    assert passer.send(what="A chair", price="40", why="SECRET").status_code == 302
    assert "SECRET" not in str(UserTask.objects.get().facts)


def test_every_kind_of_question_can_be_answered_without_script(counter):
    counter.publish(asking(WIDE, open_to="public"), counter.flow)
    passer = Passer(counter)
    assert "What &lt;b&gt;" in passer.html
    sent = passer.send(
        **{
            "what": "a\r\nb",
            "count": "2",
            "price": "19,99",
            "by": "2026-03-31",
            "kind": "Desk",
            "extras": ["Delivery", "Assembly"],
            "urgent": "on",
            "names": "Ada\r\n\r\nGrace",
            "lines-0-item": "Screw",
            "lines-0-n": "7",
            "lines-3-item": "Nut",
            "offers": SimpleUploadedFile("../offer.pdf", PDF),
        }
    )
    assert sent.status_code == 302, sent.content
    from apps.requests.progress import answers_of

    found = answers_of(Run.objects.get())
    offers = found.pop("offers")
    assert {name: str(value) for name, value in found.items()} == {
        "what": "a\nb",
        "count": "2",
        "price": "19.99",
        "by": "2026-03-31",
        "kind": "Desk",
        "extras": "['Delivery', 'Assembly']",
        "urgent": "True",
        "names": "['Ada', 'Grace']",
        "lines": "[{'item': 'Screw', 'n': 7}, {'item': 'Nut'}]",
    }
    file = File.objects.get()
    assert offers[0]["sha256"] == file.sha256
    assert (file.name, file.person_id, file.run_id) == ("offer.pdf", None, Run.objects.get().pk)


def test_a_file_of_another_kind_or_too_many_start_nothing(counter):
    counter.publish(asking(WIDE, open_to="public"), counter.flow)
    passer = Passer(counter)
    bad = passer.send(what="x", offers=SimpleUploadedFile("a.pdf", b"<html>"))
    many = passer.send(what="x", offers=[SimpleUploadedFile("a.pdf", PDF) for _ in range(3)])
    assert (bad.status_code, many.status_code) == (422, 422)
    assert not Run.objects.exists()
    assert not File.objects.exists()


def test_a_machine_that_fills_in_everything_is_thanked_and_dropped(passer):
    sent = passer.send(**SMALL, **{public.TRAP: "https://spam.example"})
    assert sent.status_code == 302
    assert not Request.objects.exists()


def test_one_address_sends_only_so_much(passer, monkeypatch):
    few = {**throttle.LIMITS, "form.address": throttle.Limit(2, timedelta(hours=1))}
    monkeypatch.setattr(throttle, "LIMITS", few)
    answers = [passer.send(**SMALL).status_code for _ in range(3)]
    assert answers == [302, 302, 429]
    assert "Retry-After" in passer.client.post(
        passer.path, {"csrfmiddlewaretoken": passer.hidden("csrfmiddlewaretoken")}
    )


def test_another_site_cannot_send_it(passer):
    assert passer.send(csrf=False, **SMALL).status_code == 403
    assert not Request.objects.exists()


@pytest.mark.parametrize("stamp", ["", "made up", "other form", "old"])
def test_a_page_that_did_not_come_from_here_or_long_ago_sends_nothing(passer, monkeypatch, stamp):
    if stamp == "other form":
        read = {"of": "x", "form": "y", "key": "z"}
        stamp = signing.dumps(read, salt=public.SALT)
    elif stamp == "old":
        monkeypatch.setattr(public, "OPEN_FOR", timedelta(seconds=-1))
        stamp = None
    refused = passer.send(stamp=stamp, **SMALL)
    assert refused.status_code == 403
    assert b"Nothing was sent" in refused.content
    assert not Request.objects.exists()


def test_a_form_that_was_changed_meanwhile_is_opened_again(counter, passer):
    changed = {**FORM, "properties": {**FORM["properties"], "when": {"type": "string"}}}
    counter.publish(asking(changed, open_to="public"), counter.flow)
    refused = passer.send(**SMALL)
    assert refused.status_code == 409
    assert b"Open the form again" in refused.content


def test_it_is_open_only_as_long_as_the_flow_says_so(counter, passer):
    counter.publish(asking(open_to="members"), counter.flow)
    assert passer.client.get(passer.path).status_code == 404
    assert passer.send(**SMALL).status_code == 404


def test_an_archived_flow_has_no_page_and_a_paused_one_holds_what_comes(counter, passer):
    admin = people.actor(people.person(counter.workspace, "admin"))
    flows.pause_flow(actor=admin, flow_id=counter.flow.pk, now=clock.now())
    assert b"on hold" in passer.client.get(passer.path).content
    assert passer.send(**SMALL).status_code == 302
    assert Run.objects.get().status == "queued"
    flows.archive_flow(actor=admin, flow_id=counter.flow.pk, now=clock.now())
    assert passer.client.get(passer.path).status_code == 404


def test_it_speaks_german(passer):
    page = passer.client.get(passer.path, headers={"Accept-Language": "de"})
    assert "Senden" in page.content.decode()
    assert "Nur wenn „Price“" in page.content.decode()


def test_a_public_form_asks_for_no_members():
    form = {"type": "object", "properties": {"who": {"type": "string", "x-widget": "person"}}}
    found = check_document(asking(form, open_to="public"))
    assert "not_for_the_public" in [one.code for one in found]


def test_the_editor_shows_where_it_is_filled_in(counter):
    builder = people.browser(counter.someone("bob", "builder"))
    path = f"/api/v1/flows/{counter.flow.pk}/trigger/"
    trigger = Trigger.objects.get(flow=counter.flow)
    assert builder.get(path).json()["url"].endswith(f"/forms/{trigger.pk}/")
    counter.publish(asking(open_to="members"), counter.flow)
    assert builder.get(path).json()["url"].endswith(f"/requests/new/{counter.flow.pk}/")
