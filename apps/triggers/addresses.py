"""Where a call to a webhook goes: read from PostgreSQL, and remembered until it changes.

What is remembered holds only if the statement that writes finds its rows unchanged
(``STILL_HOLDS``); so a publication, a pause or a new secret holds for the next call, and most
calls need no round trip to be read.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from apps.connections import vault
from apps.connections.queries import value_context
from apps.flows.models import FlowState
from apps.steps.types.trigger_webhook import Webhook
from apps.triggers.calls import webhook_config
from apps.triggers.wires import Connection, Wires

Place = tuple[str, str]

#: An address is read anew after so many seconds, for the clock's sake.
KEPT_S = 30.0
MOST_KEPT = 4096

STAMP = "concat_ws(' ', t.xmin, f.xmin, w.xmin, s.xmin)"
_COLUMNS = f"""t.id, t.workspace_id, t.flow_id, t.version_id, t.priority, f.state, t.config::text,
       t.contract::text, w.zone,
       t.secret_name, s.id, s.ciphertext, s.previous, s.previous_until, {STAMP}, business_now()"""
_JOINS = """join flows_flow f on f.id = t.flow_id
left join connections_secret s on s.workspace_id = t.workspace_id and s.name = t.secret_name"""
_ADDRESS = f"""
select {_COLUMNS}
from accounts_workspace w
join triggers_trigger t
  on t.workspace_id = w.id and t.path = %(path)s and t.type = 'webhook' and t.enabled
{_JOINS}
where w.slug = %(slug)s
"""  # noqa: S608 - constants
_ADDRESSES = f"""
select {_COLUMNS}, u.slug, u.path
from unnest(%(slugs)b::text[], %(paths)b::text[]) as u(slug, path)
join accounts_workspace w on w.slug = u.slug
join triggers_trigger t
  on t.workspace_id = w.id and t.path = u.path and t.type = 'webhook' and t.enabled
{_JOINS}
"""  # noqa: S608 - constants
#: For a statement that has the trigger, the stamp and the time of an address, as ``{trigger}``,
#: ``{stamp}`` and ``{now}``: whether all is as it was read, the clock too.
STILL_HOLDS = f"""exists (
  select from triggers_trigger t join accounts_workspace w on w.id = t.workspace_id
  {_JOINS}
  where t.id = {{trigger}} and {STAMP} = {{stamp}}
    and business_now() between {{now}} - interval '1 second' and {{now}} + interval '1 second')"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a call is going, as PostgreSQL has it now."""

    trigger_id: UUID
    workspace_id: UUID
    flow_id: UUID
    version_id: UUID
    priority: int
    is_paused: bool
    config: Webhook
    #: JSON text of what the flow takes; None where it takes anything.
    contract: str | None
    zone: str
    secrets: Sequence[str]
    now: datetime
    #: Whether one of the secrets is on its way out.
    is_changing: bool
    #: Of the rows this was read from: it changes with any of them.
    stamp: str
    #: Whether this is from memory, so that whoever writes must see to it that it still holds.
    is_remembered: bool = False


async def addresses_of(wires: Wires, places: Sequence[tuple[str, str]]) -> list[Address | None]:
    """The enabled webhook at each address (workspace and path), read now for all of them.

    Never cached: a publication holds for the next call.
    """
    wanted = list(dict.fromkeys(places))

    async def read(connection: Connection) -> list[Address | None]:
        if len(wanted) == 1:
            given = {"slug": wanted[0][0], "path": wanted[0][1]}
            cursor = await connection.execute(_ADDRESS, given, binary=True)
            row = await cursor.fetchone()
            return [None if row is None else _address(row)] * len(places)
        slugs, paths = [slug for slug, _ in wanted], [path for _, path in wanted]
        cursor = await connection.execute(_ADDRESSES, {"slugs": slugs, "paths": paths}, binary=True)
        found = {(row[-2], row[-1]): _address(row[:-2]) for row in await cursor.fetchall()}
        return [found.get(place) for place in places]

    return await wires.run(read)


class Memory:
    """Addresses as they were read lately. It belongs to one event loop."""

    def __init__(self) -> None:
        self._known: OrderedDict[Place, tuple[Address, float]] = OrderedDict()

    def recall(self, place: Place) -> Address | None:
        """An address as it would be read now, if nothing has changed."""
        found = self._known.get(place)
        if found is None:
            return None
        address, read_at = found
        age = time.monotonic() - read_at
        if age > KEPT_S:
            self.forget(place)
            return None
        return replace(address, now=address.now + timedelta(seconds=age), is_remembered=True)

    def keep(self, place: Place, address: Address) -> None:
        """Remember what was just read; not what time alone changes, nor what is held up."""
        if address.is_paused or address.is_changing:
            return
        self._known[place] = (address, time.monotonic())
        self._known.move_to_end(place)
        if len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)

    def forget(self, place: Place) -> None:
        """It did not hold any more."""
        self._known.pop(place, None)


def _address(row: tuple[Any, ...]) -> Address:
    (
        trigger_id, workspace_id, flow_id, version_id, priority, state, config, contract, zone,
        secret_name, secret_id, ciphertext, previous, previous_until, stamp, now,
    ) = row  # fmt: skip
    secrets: list[str] = []
    if secret_id is not None:
        secrets.append(_opened(secret_id, ciphertext))
        if previous is not None and previous_until > now:
            secrets.append(_opened(secret_id, previous))
    elif secret_name:
        _log.warning("webhook trigger %s: its secret is not there any more", trigger_id)
    return Address(
        trigger_id=trigger_id,
        workspace_id=workspace_id,
        flow_id=flow_id,
        version_id=version_id,
        priority=priority,
        is_paused=state == FlowState.PAUSED,
        config=webhook_config(config),
        contract=contract,
        zone=zone,
        secrets=secrets,
        now=now,
        is_changing=previous is not None,
        stamp=stamp,
    )


@lru_cache(maxsize=1024)
def _opened(secret_id: UUID, ciphertext: bytes) -> str:
    """A secret's value. The ciphertext is part of the key, so a change is seen at once."""
    return vault.open(ciphertext, value_context(secret_id)).decode()
