"""Who may do what. The only place where a role or a grant turns into a right.

A right is a string, ``noun.verb``. Roles give rights in a whole workspace, grants (kept in
guardian's tables, written only by ``commands.grant_flow``) give some of them for one flow.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.db.models import Model, Q, QuerySet, UUIDField
from django.db.models.functions import Cast
from guardian.models import GroupObjectPermission, UserObjectPermission

from apps.accounts.actors import Actor
from apps.core.errors import Forbidden, NotFound

#: What may be put before a person and answered by them. Whether it was put before *this*
#: person is inbox's to say; an auditor never has it.
_OWN_TASKS = frozenset({"task.view", "task.decide"})
#: Filling in the forms that flows offer to members. An auditor changes nothing, so has it not.
_ASKING = frozenset({"request.make"})
_LOOK = frozenset({"flow.view", "run.view"})

ROLE_RIGHTS: Mapping[str, frozenset[str]] = {
    "viewer": _LOOK | _OWN_TASKS | _ASKING,
    "builder": _LOOK
    | _OWN_TASKS
    | _ASKING
    | {"flow.create", "flow.edit", "flow.publish", "flow.run", "secrets.manage", "event.publish"},
    "operator": _LOOK
    | _OWN_TASKS
    | _ASKING
    | {"flow.run", "flow.pause", "flow.archive", "run.cancel", "run.operate", "event.publish"},
    "approver": _OWN_TASKS | _ASKING,
    "auditor": _LOOK | {"task.view", "audit.view", "export.read"},
    "admin": _LOOK
    | _OWN_TASKS
    | _ASKING
    | {
        "people.manage",
        "roles.manage",
        "tokens.manage",
        "settings.manage",
        "secrets.manage",
        "hosts.manage",
        "metrics.read",
        "audit.view",
        "export.read",
        "flow.grant",
        "flow.pause",
        "flow.archive",
    },
}

#: What one grant on a flow brings: guardian's permission name and the rights it stands for.
GRANTS: Mapping[str, tuple[str, frozenset[str]]] = {
    "view": ("view_flow", _LOOK),
    "edit": ("edit_flow", _LOOK | {"flow.edit"}),
    "publish": ("publish_flow", _LOOK | {"flow.publish"}),
    "run": ("run_flow", _LOOK | {"flow.run", "run.cancel"}),
}

_BY_CODENAME = dict(GRANTS.values())
ALL_RIGHTS = frozenset[str]().union(*ROLE_RIGHTS.values())
FLOW_RIGHTS = frozenset({"flow.archive", "flow.pause", "flow.grant"}).union(
    *(rights for _codename, rights in GRANTS.values())
)
#: Roles whose people can be asked for a decision.
DECIDING_ROLES = frozenset(role for role, rights in ROLE_RIGHTS.items() if "task.decide" in rights)


# Written out, like whom a request is from: they are asked all the time, and flows is a package
# above this one, whose table can only be named.
_FLOW = "select true from flows_flow where id = %s and workspace_id = %s"
_FLOW_AND_GRANTS = """
select array(
  select p.codename from auth_permission p join django_content_type c on c.id = p.content_type_id
  where c.app_label = 'flows' and c.model = 'flow' and (
    exists (select 1 from guardian_userobjectpermission o
            where o.permission_id = p.id and o.object_pk = f.id::text and o.user_id = %s)
    or exists (select 1 from guardian_groupobjectpermission o
               where o.permission_id = p.id and o.object_pk = f.id::text and o.group_id = any(%s))))
from flows_flow f where f.id = %s and f.workspace_id = %s
"""


class OutOfScope(Forbidden):
    """The token's scopes leave the right out; its person may have it."""

    code = "out_of_scope"


def rights_by_role(actor: Actor) -> frozenset[str]:
    """Rights in the whole workspace, before a token's scopes. No query."""
    if actor.kind == "system":
        return ALL_RIGHTS
    return frozenset[str]().union(*(ROLE_RIGHTS.get(role, frozenset()) for role in actor.roles))


def in_scope(actor: Actor, right: str) -> bool:
    """Whether the actor's token, if it is one, is good for this right at all."""
    return actor.scopes is None or right in actor.scopes


def has_right(actor: Actor, right: str, flow_id: UUID | None = None) -> bool:
    """Whether the actor may do this, to this flow if one is named.

    A flow of another workspace gives nobody a right. Naming one costs one query.
    """
    _check_known(right)
    if not in_scope(actor, right):
        return False
    if flow_id is None:
        return right in rights_by_role(actor)
    return right in _rights_for(actor, right, flow_id)


def require(actor: Actor, right: str, flow_id: UUID | None = None) -> None:
    """Refuse unless the actor may do this; costs what ``has_right`` costs.

    Raises:
        NotFound: The flow is not there, is another workspace's, or may not even be viewed.
        OutOfScope: A token that was not made for this right.
        Forbidden: The actor may see it but not do this.
    """
    _check_known(right)
    if not in_scope(actor, right):
        raise OutOfScope(
            f"This token was made without “{right}”; use one whose scopes name it.", right=right
        )
    rights = rights_by_role(actor) if flow_id is None else _rights_for(actor, right, flow_id)
    if right in rights:
        return
    if flow_id is not None and "flow.view" not in rights:
        raise NotFound("There is no such flow, or it is not for you.")
    raise Forbidden(
        "Your role does not allow this; ask an administrator of the workspace.", right=right
    )


def rights_on_flows(actor: Actor, flow_ids: Iterable[UUID]) -> dict[UUID, frozenset[str]]:
    """All rights on each of several flows, by flow id, for a list; two queries however many.

    Flows of other workspaces are left out.
    """
    wanted = _flows().filter(pk__in=list(flow_ids), workspace_id=actor.workspace_id)
    rights = dict.fromkeys(wanted.values_list("pk", flat=True), rights_by_role(actor))
    for flow_id, codename in _granted(actor, list(rights)):
        rights[flow_id] |= _BY_CODENAME.get(codename, frozenset())
    if actor.scopes is None:
        return rights
    return {flow_id: one & actor.scopes for flow_id, one in rights.items()}


def flows_with(actor: Actor, right: str, field: str = "pk") -> Q:
    """The flows on which the actor has a right, as one condition.

    Args:
        actor: Who asks.
        right: A right that a grant can give; for others the role alone decides.
        field: The column that holds the flow's id; the row must also have ``workspace_id``.

    Returns:
        A ``Q`` for ``filter``: the whole workspace, the granted flows, or nothing.
    """
    _check_known(right)
    here = Q(workspace_id=actor.workspace_id)
    if not in_scope(actor, right):
        return Q(pk__in=[])
    if right in rights_by_role(actor):
        return here
    codenames = [codename for codename, gained in GRANTS.values() if right in gained]
    if not codenames or actor.user_id is None:
        return Q(pk__in=[])
    about = {"permission__codename__in": codenames, **_about_flows()}
    as_id = Cast("object_pk", UUIDField())
    own = UserObjectPermission.objects.filter(user_id=actor.user_id, **about).values_list(as_id)
    shared = GroupObjectPermission.objects.filter(
        group_id__in=actor.group_ids, **about
    ).values_list(as_id)
    return here & (Q(**{f"{field}__in": own}) | Q(**{f"{field}__in": shared}))


def sees_some_flow(actor: Actor) -> bool:
    """Whether there is any flow that the actor may view, by role or by grant."""
    return _flows().filter(flows_with(actor, "flow.view")).exists()


def _rights_for(actor: Actor, right: str, flow_id: UUID) -> frozenset[str]:
    """Enough of the rights on one flow to judge ``right``; a token's scopes are not applied."""
    rights = rights_by_role(actor)
    needs_grant = right not in rights and actor.user_id is not None
    with connection.cursor() as cursor:
        if needs_grant:
            given = [actor.user_id, list(actor.group_ids), flow_id, actor.workspace_id]
            cursor.execute(_FLOW_AND_GRANTS, given)
        else:
            cursor.execute(_FLOW, [flow_id, actor.workspace_id])
        found = cursor.fetchone()
    if found is None:
        return frozenset()
    for codename in found[0] if needs_grant else ():
        rights |= _BY_CODENAME.get(codename, frozenset())
    return rights


def _granted(actor: Actor, flow_ids: Collection[UUID]) -> list[tuple[UUID, str]]:
    """``(flow id, permission name)`` of every grant that reaches the actor."""
    if actor.user_id is None or not flow_ids:
        return []
    about = {"object_pk__in": [str(one) for one in flow_ids], **_about_flows()}
    own = UserObjectPermission.objects.filter(user_id=actor.user_id, **about)
    shared = GroupObjectPermission.objects.filter(group_id__in=actor.group_ids, **about)
    columns = ("object_pk", "permission__codename")
    rows = own.values_list(*columns).union(shared.values_list(*columns))
    return [(UUID(object_pk), codename) for object_pk, codename in rows]


def _flows() -> QuerySet[Model]:
    # flows is a package above this one; its table is named, not imported.
    flow: type[Model] = apps.get_model("flows.Flow")
    return flow._base_manager.all()  # noqa: SLF001 - Django's documented name


def _about_flows() -> dict[str, str]:
    return {
        "permission__content_type__app_label": "flows",
        "permission__content_type__model": "flow",
    }


def _check_known(right: str) -> None:
    # A misspelt right would quietly refuse everybody; a rights check must not guess.
    if right not in ALL_RIGHTS:
        raise ValueError(f"unknown right {right!r}")
