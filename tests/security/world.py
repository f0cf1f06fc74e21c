"""A workspace with one of everything, and a browser for everybody who might come to it."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.test import Client

from apps.accounts import commands
from apps.accounts.commands import GrantSubject
from apps.accounts.models import ApiToken, Membership
from apps.audit.models import AuditEvent, AuditSeal
from apps.audit.sealing import seal_pending
from apps.connections import commands as connections
from apps.core import clock
from apps.flows import commands as flows
from apps.flows.models import Draft, Flow, FlowVersion
from apps.inbox import asking, delegating, filters, handing
from apps.inbox import commands as inbox
from apps.inbox.models import UserTask
from apps.notices import choosing
from apps.notices.models import Channel, Delivery
from apps.operations.alerts import raise_alert
from apps.operations.destinations import add_destination
from apps.operations.models import AlertKind, TrailJob
from apps.requests import commands as requests
from apps.requests import uploads
from apps.runs import commands as runs
from apps.runs import testing
from apps.runs.drive import drive_all
from apps.runs.models import Run, Sample
from apps.steps.forms import FILE_SCHEMA, form_hash
from apps.triggers.events import publish_event
from apps.triggers.listening import open_listener
from apps.triggers.models import Trigger
from tests.support import people

CALLERS = (
    "none", "viewer", "builder", "operator", "approver", "auditor", "admin",
    "g.view", "g.edit", "g.publish", "g.run", "other",
)  # fmt: skip

SAMPLE = UUID("019aa000-0000-7000-8000-000000000001")
#: A browser's public key: the example's of RFC 8291.
BROWSER_KEY = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
DOCUMENT: dict[str, Any] = {
    "format": "signalbox.flow/1",
    "name": "Onboarding",
    "trigger": {"type": "webhook", "config": {"path": "orders", "signature": {"scheme": "none"}}},
    "steps": {
        "ask": {
            "type": "approval",
            "version": 1,
            "title": "Approve order",
            "config": {
                "title": "Approve the order",
                "assignees": {"users": ["approver@acme.test"], "groups": []},
                "rule": {"any": 1},
                "due": "P2D",
                "fields": [{"label": "Amount", "value": "= trigger.body.amount"}],
            },
        },
        "end": {"type": "stop", "version": 1, "config": {"outcome": "completed"}},
        "no": {"type": "stop", "version": 1, "config": {"outcome": "failed", "message": "No."}},
    },
    "links": [
        {"from": "trigger", "to": "ask"},
        {"from": "ask", "port": "approved", "to": "end"},
        {"from": "ask", "port": "rejected", "to": "no"},
        {"from": "ask", "port": "timeout", "to": "no"},
    ],
    "settings": {},
    "layout": {},
}


#: What people ask for: it waits for a time, so that it can be taken back.
ASKING: dict[str, Any] = {
    "format": "signalbox.flow/1",
    "name": "Ask",
    "trigger": {
        "type": "form",
        "config": {
            "open_to": "public",
            "form": {
                "type": "object",
                "properties": {
                    "what": {"type": "string"},
                    "offers": {"type": "array", "x-widget": "files", "items": FILE_SCHEMA},
                },
            },
        },
    },
    "steps": {
        "later": {"type": "delay", "version": 1, "config": {"for": "P2D"}},
        "end": {"type": "stop", "version": 1, "config": {"outcome": "completed"}},
    },
    "links": [{"from": "trigger", "to": "later"}, {"from": "later", "to": "end"}],
    "settings": {},
    "layout": {},
}


class World:
    """``ids`` fill the addresses; ``browsers`` holds one for each caller."""

    def __init__(self) -> None:
        self.acme = people.make_workspace("acme")
        self.other = people.make_workspace("other")
        self.users = {role: people.person(self.acme, role) for role in people.ROLES}
        self.admin = people.actor(self.users["admin"])
        self.ids: dict[str, Any] = {}
        # Somebody who makes what the others find, so that their own first change is their own.
        self.author = people.actor(people.person(self.acme, "builder", email="author@acme.test"))
        self.flow = self._publish()
        self._grant()
        self.users["other"] = people.person(
            self.other, *people.ROLES, email="everything@other.test"
        )
        self._run()
        self._decision()
        self._filter()
        self._standing_in()
        self._tests()
        self._event()
        self._request()
        self._people_and_connections()
        self._trail()
        self._notices()
        seal_pending(now=clock.now())
        self.ids["event"] = AuditEvent.objects.filter(workspace_id=self.acme.pk).latest("id").pk
        self.ids["seal"] = AuditSeal.objects.latest("number").pk
        self.ids["workspace"] = self.acme.pk
        self.seen = UserTask.objects.get(pk=self.ids["task"]).seen
        self.browsers = {name: people.browser(user) for name, user in self.users.items()}
        self.browsers["none"] = Client(enforce_csrf_checks=True)

    def _publish(self) -> Flow:
        now = clock.now()
        flow = flows.create_flow(actor=self.author, name="Onboarding", now=now)
        for note in ("first", "second"):
            document = {**DOCUMENT, "layout": {"trigger": [0, len(note)]}}
            revision = Draft.objects.get(flow=flow).revision
            flows.save_draft(
                actor=self.author, flow_id=flow.pk, document=document, if_match=revision, now=now
            )
            flows.publish_flow(actor=self.author, flow_id=flow.pk, note=note, now=now)
        Flow.objects.filter(pk=flow.pk).update(owner=self.users["builder"])
        flow.refresh_from_db()
        self.ids |= {
            "flow": flow.pk,
            "number": 1,
            "version": FlowVersion.objects.get(flow=flow, number=1).pk,
            "trigger": Trigger.objects.get(flow=flow).pk,
            "revision": Draft.objects.get(flow=flow).revision,
        }
        return flow

    def _grant(self) -> None:
        now = clock.now()
        held = flows.create_flow(actor=self.author, name="Held", now=now)
        flows.pause_flow(actor=self.admin, flow_id=held.pk, now=now)
        self.ids["held"] = held.pk
        for right in ("view", "edit", "publish", "run"):
            user = people.person(self.acme, "approver", email=f"{right}@acme.test")
            self.users[f"g.{right}"] = user
            for flow in (self.flow, held):
                commands.grant_flow(
                    actor=self.admin,
                    flow_id=flow.pk,
                    subject=GrantSubject("user", user.pk),
                    rights=[right],
                    now=now,
                )

    def _run(self) -> None:
        now = clock.now()
        started = [
            runs.start_run(actor=self.author, flow_id=self.flow.pk, input={"amount": 7}, now=now)
            for _ in range(2)
        ]
        drive_all()
        waiting, paused = started
        Run.objects.filter(pk=paused.pk).update(status="paused")
        raise_alert(
            user=self.users["builder"],
            flow=self.flow,
            kind=AlertKind.RUN_FAILED,
            cause="ask",
            case_id=waiting.pk,
            run_id=waiting.pk,
            title="“Onboarding” failed",
            body="It did.",
            now=now,
        )
        self.ids |= {
            "run": waiting.pk,
            "paused": paused.pk,
            "seq": 1,
            "task": UserTask.objects.get(run_id=waiting.pk).pk,
            "kind": "runs",
        }

    def _filter(self) -> None:
        """The approver has kept one."""
        kept = filters.save_filter(
            actor=people.actor(self.users["approver"]),
            name="Mine",
            fields={"view": "mine"},
            now=clock.now(),
        )
        self.ids["filter"] = kept.pk

    def _decision(self) -> None:
        """The approver has answered another one."""
        now = clock.now()
        run = runs.start_run(actor=self.author, flow_id=self.flow.pk, input={"amount": 8}, now=now)
        drive_all()
        task = UserTask.objects.get(run_id=run.pk)
        inbox.decide_task(
            actor=people.actor(self.users["approver"]),
            task_id=task.pk,
            outcome="approved",
            comment="",
            seen=None,
            now=clock.now(),
        )
        drive_all()
        self.ids |= {"answered": task.pk, "decision": task.decisions.get().pk}

    def _standing_in(self) -> None:
        now = clock.now()
        deputy = people.person(self.acme, "approver", email="deputy@acme.test")
        asked = handing.ask_exception(
            actor=self.author, task_id=self.ids["task"], reason="Nobody is there", now=now
        )
        row = delegating.delegate(
            actor=people.actor(self.users["approver"]),
            to=deputy.email,
            begins_at=now,
            ends_at=now + timedelta(days=1),
            now=now,
        )
        self.ids |= {"exception": asked.pk, "delegation": row.pk}
        question = asking.ask_question(
            actor=people.actor(self.users["approver"]),
            task_id=self.ids["task"],
            text="Which one?",
            of=self.users["viewer"].email,
            now=now,
        )
        self.ids["question"] = question.pk

    def _tests(self) -> None:
        now = clock.now()
        Sample.objects.create(
            id=SAMPLE,
            workspace_id=self.acme.pk,
            flow_id=self.flow.pk,
            source=Sample.Source.PASTED,
            trigger={"type": "webhook", "body": {"amount": 7}, "headers": {}, "query": {}},
            created_at=now,
        )
        open_listener(actor=self.author, flow_id=self.flow.pk, now=now)
        tested = testing.start_test(
            actor=self.author,
            flow_id=self.flow.pk,
            asked=testing.Asked(kind="dry", sample=SAMPLE),
            announced=["ask", "end"],
            now=now,
        )
        drive_all()
        self.ids |= {"sample": SAMPLE, "tested": tested.pk}

    def _event(self) -> None:
        sent = {"specversion": "1.0", "id": "1", "source": "shop", "type": "order.made"}
        event, _ = publish_event(actor=self.author, event=sent, now=clock.now())
        self.ids["happening"] = event.pk

    def _request(self) -> None:
        """A form that is open to everybody, and what the viewer has asked for by it."""
        now = clock.now()
        flow = flows.create_flow(actor=self.author, name="Ask", now=now)
        flows.save_draft(actor=self.author, flow_id=flow.pk, document=ASKING, if_match=1, now=now)
        flows.publish_flow(actor=self.author, flow_id=flow.pk, note="", now=now)
        viewer = people.actor(self.users["viewer"])
        file = uploads.upload_file(
            actor=viewer, flow_id=flow.pk, field="offers", name="a.txt", content=b"40", now=now
        )
        sent = requests.send_request(
            actor=viewer,
            flow_id=flow.pk,
            form_hash=form_hash(ASKING["trigger"]["config"]),
            answers={"what": "A chair", "offers": [{"id": str(file.pk)}]},
            now=now,
        )
        drive_all()
        self.ids |= {
            "form": flow.pk,
            "request": sent.pk,
            "file": file.pk,
            "public": Trigger.objects.get(flow=flow).pk,
            "formhash": sent.form_hash,
        }

    def _people_and_connections(self) -> None:
        now, admin = clock.now(), self.admin
        newcomer = people.person(self.acme, "viewer", email="newcomer@acme.test")
        people.bearer(newcomer)
        connections.set_secret(actor=admin, name="crm", value="hush-hush", hosts=[], now=now)
        invitation = commands.invite_member(
            actor=admin, email="new@acme.test", roles=["viewer"], now=now
        )
        team = commands.create_team(actor=admin, slug="finance", name="Finance", now=now)
        host = connections.allow_host(
            actor=admin, host="old.internal", port=443, reason="orders", now=now
        )
        self.ids |= {
            "member": Membership.objects.get(user=newcomer).pk,
            "invitation": invitation.pk,
            "team": team.pk,
            "token": ApiToken.objects.get().pk,
            "secret": "crm",
            "host": host.pk,
        }

    def _trail(self) -> None:
        now, user = clock.now(), self.users["admin"]
        destination = add_destination(
            actor=self.admin,
            name="Log",
            kind="syslog_tcp",
            address="127.0.0.1:9",
            secret="",
            with_rows=True,
            with_checkpoints=True,
            from_start=True,
            now=now,
        )
        made = {"workspace_id": self.acme.pk, "asked_by": user, "created_at": now}
        over = {"state": "done", "finished_at": now}
        check = TrailJob.objects.create(kind="check", **made)
        wanted = {"from": now.isoformat(), "to": now.isoformat(), "flow": "", "flow_name": ""}
        result = {
            "name": "evidence.zip",
            "bytes": 3,
            "sha256": "a" * 64,
            "lists": {"changes": 0},
            "versions": 0,
            "seals": [],
            "unsealed": 0,
        }
        pack = TrailJob.objects.create(
            kind="evidence", wanted={**wanted, "lists": ["changes"]}, result=result, **over, **made
        )
        pack.parts.create(number=0, content=b"zip")
        self.ids |= {"destination": destination.pk, "check": check.pk, "pack": pack.pk}

    def _notices(self) -> None:
        """How the administrator is told, and the workspace's chat."""
        now = clock.now()
        browser = choosing.add_browser(
            actor=self.admin,
            endpoint="https://9.9.9.9/b",
            p256dh=BROWSER_KEY,
            auth="BTBZMqHH6r4Tts7J_aSIgg",
            label="Firefox",
            now=now,
        )
        choosing.set_own_chat(actor=self.admin, url="https://9.9.9.9/own", now=now)
        choosing.set_workspace_chat(
            actor=self.admin,
            url="https://9.9.9.9/all",
            with_titles=False,
            groups=["tasks"],
            now=now,
        )
        [failed] = choosing.send_test(actor=self.admin, channel=Channel.MAIL, now=now)
        Delivery.objects.filter(pk=failed.pk).update(state="failed", ended_at=now)
        self.ids |= {"browser": browser.pk, "undelivered": failed.pk}


def outcome(answer: Any) -> str:
    """The status; ``in`` for being sent to sign in, ``home`` to the console's front page."""
    if answer.status_code in {301, 302}:
        path = urlsplit(answer["Location"]).path
        if path in {"/sign-in/", "/admin/login/"}:
            return "in"
        if path == "/admin/":
            return "home"
    return str(answer.status_code)
