"""Who asks: the one thing every command, query and rights check takes first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from apps.audit.records import Who


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person, a token acting for one, or the system, in one workspace.

    Made once for a request, with everything a rights check needs beside the grants of a single
    flow. It is a picture of that moment: whoever keeps one (a socket) must make it anew when
    told that access changed.
    """

    workspace_id: UUID
    workspace_slug: str = ""
    user_id: UUID | None = None
    email: str = ""
    name: str = ""
    roles: frozenset[str] = frozenset()
    team_slugs: frozenset[str] = frozenset()
    #: The ``auth.Group`` ids behind roles and teams, to which flows are granted.
    group_ids: frozenset[int] = field(default=frozenset(), repr=False)
    kind: Literal["person", "token", "system"] = "person"
    token_id: UUID | None = None
    token_name: str = ""
    #: The rights a token is limited to; ``None`` is no limit.
    scopes: frozenset[str] | None = None
    is_superuser: bool = False

    @classmethod
    def system(cls, workspace_id: UUID) -> Actor:
        """The product itself, acting on what somebody allowed earlier. It may everything."""
        return cls(workspace_id=workspace_id, kind="system", name="Signalbox")

    @property
    def who(self) -> Who:
        """How the trail names this actor."""
        if self.kind == "system":
            return Who(kind="system", id="system", label="Signalbox")
        if self.kind == "token":
            return Who(
                kind="token",
                id=str(self.token_id),
                label=self.token_name,
                on_behalf_of=str(self.user_id),
            )
        return Who(kind="person", id=str(self.user_id), label=self.email)
