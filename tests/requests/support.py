"""A flow that people ask by a form, people who fill it in, and their browsers."""

from typing import Any

from django.test import Client

from apps.accounts import commands as accounts
from apps.accounts.models import User
from apps.core import clock
from apps.flows import commands as flows
from apps.flows.models import Draft, Flow
from apps.runs.drive import drive_all
from tests.runs.support import document
from tests.support import people

FORM: dict[str, Any] = {
    "type": "object",
    "x-order": ["what", "price", "why"],
    "properties": {
        "price": {
            "type": "number",
            "title": "Price",
            "x-widget": "amount",
            "minimum": 0,
            "maximum": 1000,
        },
        "what": {"type": "string", "title": "What", "maxLength": 60},
        "why": {"type": "string", "title": "Why", "x-widget": "text"},
    },
    "required": ["what", "price"],
    # Why is asked from 100 on.
    "allOf": [
        {
            "if": {
                "properties": {"price": {"type": "number", "minimum": 100}},
                "required": ["price"],
            },
            "then": {"required": ["why"]},
            "else": {"properties": {"why": False}},
        }
    ],
}


def asking(form: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    """A document: a form, then an approval."""
    return document(
        {
            "ask": {
                "type": "approval",
                "title": "Buying says",
                "config": {
                    "title": '= "Buy " + trigger.body.what',
                    "assignees": {"users": [], "groups": ["approver"]},
                    "rule": {"any": 1},
                    "due": "P2D",
                    "fields": [{"label": "From", "value": "= trigger.requester.email"}],
                },
            },
            "bought": {"type": "stop", "title": "Bought", "config": {"outcome": "completed"}},
            "no": {
                "type": "stop",
                "title": "Not bought",
                "config": {"outcome": "completed", "message": "No."},
            },
        },
        [
            "trigger -> ask",
            "ask.approved -> bought",
            "ask.rejected -> no",
            "ask.timeout -> no",
        ],
        name="Buy something",
        trigger={"type": "form", "config": {"form": form or FORM, **config}},
    )


class Counter:
    """A workspace where things can be asked for."""

    def __init__(self, **config: Any) -> None:
        self.workspace = people.make_workspace("acme")
        self.builder = people.actor(people.person(self.workspace, "builder"))
        self.ada = self.someone("ada", "approver")
        self.boss = self.someone("boss", "approver")
        self.flow = self.publish(asking(**config))

    def someone(self, name: str, *roles: str) -> User:
        return people.person(self.workspace, *roles, email=f"{name}@acme.test")

    def publish(self, wanted: dict[str, Any], flow: Flow | None = None) -> Flow:
        now = clock.now()
        flow = flow or flows.create_flow(actor=self.builder, name=wanted["name"], now=now)
        revision = Draft.objects.get(flow=flow).revision
        flows.save_draft(
            actor=self.builder, flow_id=flow.pk, document=wanted, if_match=revision, now=now
        )
        flows.publish_flow(actor=self.builder, flow_id=flow.pk, note="", now=now)
        flow.refresh_from_db()
        return flow

    def grant(self, user: User, *rights: str) -> None:
        accounts.grant_flow(
            actor=people.actor(people.person(self.workspace, "admin")),
            flow_id=self.flow.pk,
            subject=accounts.GrantSubject("user", user.pk),
            rights=list(rights),
            now=clock.now(),
        )


class Visitor:
    """Somebody at a browser."""

    def __init__(self, counter: Counter, user: User) -> None:
        self.user = user
        self.client: Client = people.browser(user)
        self.flow = counter.flow

    def forms(self) -> list[str]:
        found = self.client.get("/api/v1/request-forms/").json()
        return [one["flow"]["name"] for one in found["results"]]

    def form(self) -> Any:
        return self.client.get(f"/api/v1/request-forms/{self.flow.pk}/")

    def save(self, answers: Any, form_hash: str | None = None) -> Any:
        body = {"answers": answers, "form_hash": form_hash or self.form().json()["form_hash"]}
        return people.send(self.client, "PUT", f"/api/v1/request-forms/{self.flow.pk}/draft/", body)

    def send(self, answers: Any, *, key: str = "", **body: Any) -> Any:
        if "form_hash" not in body:
            body["form_hash"] = self.form().json()["form_hash"]
        sent = {"flow": str(self.flow.pk), "answers": answers, **body}
        headers = {"Idempotency-Key": key} if key else {}
        answer = people.send(self.client, "POST", "/api/v1/requests/", sent, **headers)
        drive_all()
        return answer

    def mine(self) -> Any:
        return self.client.get("/api/v1/requests/").json()["results"]

    def one(self, request_id: str) -> Any:
        return self.client.get(f"/api/v1/requests/{request_id}/")

    def withdraw(self, request_id: str) -> Any:
        answer = people.send(
            self.client,
            "POST",
            f"/api/v1/requests/{request_id}/withdraw/",
            {"reason": "Not needed"},
        )
        drive_all()
        return answer

    def decide(self, outcome: str = "approved", comment: str = "") -> Any:
        [task] = self.client.get("/api/v1/tasks/").json()["results"]
        answer = people.send(
            self.client,
            "POST",
            f"/api/v1/tasks/{task['id']}/decide/",
            {"outcome": outcome, "comment": comment},
        )
        drive_all()
        return answer
