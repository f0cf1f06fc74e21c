"""The demo workspace: people, one published flow, one task that waits. Embedded mode only."""

from datetime import datetime
from typing import Any

from django.db import transaction

from apps.accounts.actors import Actor
from apps.accounts.commands.people import add_member, create_team, make_workspace
from apps.accounts.models import Workspace
from apps.accounts.queries import actor_of_user
from apps.connections.commands import allow_host
from apps.core.models import uuid7
from apps.flows.commands import create_flow, publish_flow
from apps.flows.models import Flow
from apps.runs.commands import enqueue_run, run_values, start_payload

SLUG = "demo"
PEOPLE = {
    "admin": "Ada Admin",
    "builder": "Bea Builder",
    "approver": "Aron Approver",
    "auditor": "Ulla Auditor",
    "viewer": "Vito Viewer",
}
# There is no operator@: who builds here also operates, and the administrator can step in.
MORE_ROLES = {"builder": ["operator"], "admin": ["operator"]}
VENDOR = {
    "id": "V-1001",
    "name": "Blue Harbor Logistics",
    "amount": 18400,
    "contact": "office@blue-harbor.example",
}


@transaction.atomic
def make_demo(*, password: str, now: datetime) -> bool:
    """Make the demo workspace once; false where it is there already.

    The task that waits is opened by the first worker that drives the run.
    """
    if Workspace.objects.filter(slug=SLUG).exists():
        return False
    workspace = make_workspace(slug=SLUG, name="Demo", now=now, zone="Europe/Berlin")
    actors = {role: _member(workspace, role, password, now) for role in PEOPLE}
    create_team(actor=actors["admin"], slug="finance", name="Finance", now=now)
    add_member(
        workspace_id=workspace.pk,
        email="approver@demo.local",
        roles=["approver"],
        teams=["finance"],
        now=now,
    )
    allow_host(
        actor=actors["admin"],
        host="127.0.0.1",
        port=None,
        reason="The demo calls test servers on this machine.",
        now=now,
    )
    flow = create_flow(
        actor=actors["builder"], name="Vendor onboarding", example="vendor-onboarding", now=now
    )
    publish_flow(actor=actors["builder"], flow_id=flow.pk, note="First version", now=now)
    flow.refresh_from_db()
    _start(flow, now)
    return True


def _member(workspace: Workspace, role: str, password: str, now: datetime) -> Actor:
    membership = add_member(
        workspace_id=workspace.pk,
        email=f"{role}@demo.local",
        name=PEOPLE[role],
        roles=[role, *MORE_ROLES.get(role, [])],
        password=password,
        now=now,
    )
    actor = actor_of_user(membership.user, workspace.pk)
    if actor is None:
        raise RuntimeError("A person just added cannot act.")
    return actor


def _start(flow: Flow, now: datetime) -> None:
    run_id = uuid7()
    body: dict[str, Any] = VENDOR
    if flow.active_version_id is None:
        raise RuntimeError("The demo flow was not published.")
    enqueue_run(
        parameters=run_values(
            run_id=run_id,
            workspace_id=flow.workspace_id,
            flow_id=flow.pk,
            version_id=flow.active_version_id,
            trigger_type="webhook",
            payload=start_payload(run_id=run_id, trigger_type="webhook", body=body, now=now),
            now=now,
            held=False,
        )
    )
