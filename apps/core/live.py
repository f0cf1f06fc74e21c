"""Tell open pages that something changed. A hint only: it may be lost, and pages ask again.

One thread per process sends, so that no request and no driver waits for the broker; what
happens within a tenth of a second goes out as one message per workspace and type.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Iterable
from functools import partial
from typing import Any

from channels.layers import get_channel_layer
from django.db import transaction

PAUSE_S = 0.1
MOST_IDS = 50

_log = logging.getLogger(__name__)
_pending: dict[tuple[str, str], dict[str, None]] = {}
_lock = threading.Lock()
_wake = threading.Event()
_owner_pid = 0


def publish(workspace_id: Any, type_: str, ids: Iterable[Any]) -> None:
    """After commit, send ``{type, ids}`` to the workspace's open pages.

    ``ids`` is cut at 50; a page that shows more than it was told of asks for its list again.
    """
    named = dict.fromkeys(str(one) for one in ids)
    transaction.on_commit(lambda: _put(group_of(workspace_id), type_, named))


def publish_to(user_ids: Iterable[Any], type_: str, ids: Iterable[Any]) -> None:
    """After commit, send ``{type, ids}`` to the open pages of these people alone."""
    named = dict.fromkeys(str(one) for one in ids)
    for group in {user_group_of(one) for one in user_ids}:
        transaction.on_commit(partial(_put, group, type_, named))


def publish_access(user_ids: Iterable[Any]) -> None:
    """After commit, tell these people's sockets that their session or rights changed.

    The message is ``what: "access"`` in the group ``user_group_of``: a socket asks
    ``accounts.queries.actor_of_session`` again and closes where the answer is None.
    """
    for group in {user_group_of(one) for one in user_ids}:
        transaction.on_commit(partial(_put, group, "access", {}))


def group_of(workspace_id: Any) -> str:
    """The channel group of a workspace's pages."""
    return f"live.{workspace_id}"


def user_group_of(user_id: Any) -> str:
    """The channel group of one person's pages."""
    return f"user.{user_id}"


def _put(group: str, type_: str, ids: dict[str, None]) -> None:
    global _owner_pid  # noqa: PLW0603 - a forked child needs a thread of its own
    with _lock:
        _pending.setdefault((group, type_), {}).update(ids)
        if _owner_pid != os.getpid():
            _owner_pid = os.getpid()
            threading.Thread(target=_send_all, name="live", daemon=True).start()
    _wake.set()


def _send_all() -> None:
    """Wait outside the event loop: a thread of the loop's own would hold up the process's end."""
    with asyncio.Runner() as runner:
        while True:
            _wake.wait()
            time.sleep(PAUSE_S)
            _wake.clear()
            with _lock:
                batch = dict(_pending)
                _pending.clear()
            runner.run(_send(batch))


async def _send(batch: dict[tuple[str, str], dict[str, None]]) -> None:
    layer = get_channel_layer()
    for (group, type_), ids in batch.items():
        message = {"type": "live.changed", "what": type_, "ids": list(ids)[:MOST_IDS]}
        try:
            await layer.group_send(group, message)
        except Exception as error:  # noqa: BLE001 - pages fall back to asking
            _log.info("live update not sent: %s", error)
