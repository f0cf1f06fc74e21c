"""Messages to a chat's incoming webhook, in the one form that Slack, Mattermost and Teams read."""

import json
from datetime import datetime
from typing import Any

from apps.connections import vault
from apps.connections.outgoing import OutgoingClient
from apps.core.pool import give_back
from apps.notices import queries, words
from apps.notices.errors import GivenUp, NotTaken
from apps.notices.models import ChatHook, Notice, hook_context

TIMEOUT_S = 5.0
#: What would make a link of a title, or call everybody in the channel.
_MARKS = str.maketrans({"<": "\u2039", ">": "\u203a", "]": "]\u200b", "@": "@\u200b"})


def send(hook: ChatHook, notice: Notice, now: datetime) -> None:  # noqa: ARG001 - as the other ways
    """Send one message.

    Raises:
        OutgoingError, NotTaken: The chat is away or says later.
        GivenUp: It does not take this message at all.
    """
    url = vault.open(hook.sealed, hook_context(hook.pk)).decode()
    content = json.dumps(message(hook, notice), ensure_ascii=False).encode()
    client = OutgoingClient(hook.workspace_id)
    give_back()
    answer = client.request(
        "POST",
        url,
        headers={"Content-Type": "application/json; charset=utf-8"},
        content=content,
        timeout_s=TIMEOUT_S,
    )
    if 200 <= answer.status < 300:
        return
    if answer.status == 429 or answer.status >= 500:
        raise NotTaken(f"The chat answered {answer.status}.")
    raise GivenUp(f"The chat refused it with {answer.status}; check its address.")


def message(hook: ChatHook, notice: Notice) -> dict[str, Any]:
    """``{"text": …}``: what to do, by when, and where. Nothing in it is a mark of the chat's own.

    Everything else that the three understand, only one of them does.
    """
    lines = [words.sentence(notice) if hook.with_titles and notice.title else words.plain(notice)]
    if hook.with_titles and notice.title:
        lines.append(notice.title.translate(_MARKS))
    zone = queries.zone_for(notice.user, notice.workspace_id)
    if until := words.until(notice, zone):
        lines.append(words.time_until(until))
    lines.append(f"{words.action(notice)}: {words.address(notice.path)}")
    return {"text": "\n\n".join(lines)}
