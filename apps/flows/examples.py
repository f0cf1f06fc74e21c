"""Flows to start from: each shows one way of working, and has no errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.steps.document import FORMAT


@dataclass(frozen=True)
class Example:
    """A flow document with words about it."""

    slug: str
    title: str
    description: str
    document: dict[str, Any]


def _step(kind: str, shown: str, /, **config: Any) -> dict[str, Any]:
    return {"type": kind, "version": 1, "title": shown, "config": config}


def _links(*lines: str) -> list[dict[str, str]]:
    """``a -> b`` or ``a:port -> b``."""
    found = []
    for line in lines:
        left, right = line.split(" -> ")
        source, _, port = left.partition(":")
        found.append({"from": source, **({"port": port} if port else {}), "to": right})
    return found


_VENDOR = Example(
    "vendor-onboarding",
    "Vendor onboarding",
    "A form or a portal sends a new vendor. Small contracts pass, large ones wait for an "
    "approval, and whoever asked hears the answer by mail.",
    {
        "format": FORMAT,
        "name": "Vendor onboarding",
        "trigger": {
            "type": "webhook",
            "config": {
                "path": "vendors",
                "signature": {"scheme": "none"},
                "dedupe": "trigger.body.id",
            },
        },
        "steps": {
            "vendor": _step(
                "map",
                "Vendor",
                fields={
                    "name": "=trigger.body.name",
                    "amount": "=get or else(trigger.body.amount, 0)",
                    "contact": "=trigger.body.contact",
                },
            ),
            "size": _step(
                "decide",
                "Large contract?",
                branches=[{"port": "large", "when": "steps.vendor.output.amount > 10000"}],
                otherwise="small",
            ),
            "approve": _step(
                "approval",
                "Vendor is approved",
                title='="Approve " + steps.vendor.output.name + " as a vendor?"',
                details="Check the **name** and the **amount**. A rejected vendor gets a mail.",
                assignees={"groups": ["approver"]},
                rule={"any": 1},
                due="P2D",
                fields=[
                    {"label": "Vendor", "value": "=steps.vendor.output.name"},
                    {"label": "Amount", "value": "=steps.vendor.output.amount"},
                    {"label": "Contact", "value": "=steps.vendor.output.contact"},
                ],
            ),
            "welcome": _step(
                "mail.send",
                "Say welcome",
                to="=steps.vendor.output.contact",
                subject='="Welcome, " + steps.vendor.output.name',
                text="You are now a vendor of ours. We will be in touch.",
            ),
            "decline": _step(
                "mail.send",
                "Say no",
                to="=steps.vendor.output.contact",
                subject="About your application",
                text="Thank you for your interest. At this time we cannot go on.",
            ),
            "remind": _step(
                "mail.send",
                "Tell the team",
                to="vendors@example.com",
                subject="A vendor waits for an answer",
                text='="Nobody answered in time about " + steps.vendor.output.name + "."',
            ),
            "accepted": _step("stop", "Accepted", outcome="completed", message="Accepted"),
            "declined": _step("stop", "Declined", outcome="completed", message="Declined"),
            "overdue": _step(
                "stop", "Overdue", outcome="failed", message="Nobody answered in time"
            ),
            "unsent": _step(
                "stop", "Mail not sent", outcome="failed", message="A mail could not be sent"
            ),
        },
        "links": _links(
            "trigger -> vendor",
            "vendor -> size",
            "size:large -> approve",
            "size:small -> welcome",
            "approve:approved -> welcome",
            "approve:rejected -> decline",
            "approve:timeout -> remind",
            "welcome:done -> accepted",
            "welcome:error -> unsent",
            "decline:done -> declined",
            "decline:error -> unsent",
            "remind:done -> overdue",
            "remind:error -> unsent",
        ),
        "settings": {"risk": "medium"},
        "layout": {
            "trigger": [0, 192],
            "vendor": [320, 192],
            "size": [640, 192],
            "approve": [960, 96],
            "welcome": [1333, 288],
            "decline": [1333, 96],
            "remind": [1333, -96],
            "accepted": [1706, 288],
            "declined": [1706, 96],
            "overdue": [1706, -96],
            "unsent": [1706, 480],
        },
    },
)

_TRIAGE = Example(
    "github-triage",
    "GitHub issue triage",
    "GitHub sends every new issue, signed. Urgent ones are put before a person at once, the "
    "rest are passed on to the tracker.",
    {
        "format": FORMAT,
        "name": "GitHub issue triage",
        "trigger": {
            "type": "webhook",
            "config": {
                "path": "github/issues",
                "signature": {"scheme": "none"},
            },
        },
        "steps": {
            "opened": _step(
                "decide",
                "New issue?",
                branches=[
                    {
                        "port": "opened",
                        "when": 'get or else(trigger.body.action, "") = "opened"',
                    }
                ],
                otherwise="other",
            ),
            "issue": _step(
                "map",
                "Issue",
                fields={
                    "number": "=trigger.body.issue.number",
                    "title": "=trigger.body.issue.title",
                    "url": "=trigger.body.issue.html_url",
                    "author": "=trigger.body.issue.user.login",
                    "labels": "=trigger.body.issue.labels.name",
                },
            ),
            "urgent": _step(
                "decide",
                "Urgent?",
                branches=[
                    {
                        "port": "urgent",
                        "when": 'list contains(steps.issue.output.labels, "urgent") or '
                        'contains(lower case(steps.issue.output.title), "outage")',
                    }
                ],
                otherwise="normal",
            ),
            "take": _step(
                "approval",
                "Somebody takes it",
                title='="Take issue " + string(steps.issue.output.number) + " now?"',
                details="=steps.issue.output.title",
                assignees={"groups": ["operator", "builder"]},
                rule={"any": 1},
                due="PT4H",
                fields=[
                    {"label": "Issue", "value": "=steps.issue.output.url"},
                    {"label": "From", "value": "=steps.issue.output.author"},
                ],
            ),
            "file": _step(
                "http.request",
                "File it in the tracker",
                method="POST",
                url="https://tracker.example.com/api/issues",
                body={
                    "title": "=steps.issue.output.title",
                    "source": "=steps.issue.output.url",
                    "priority": "normal",
                },
            ),
            "taken": _step("stop", "Taken", outcome="completed", message="Somebody works on it"),
            "filed": _step("stop", "Filed", outcome="completed", message="Filed in the tracker"),
            "ignored": _step("stop", "Nothing to do", outcome="completed"),
            "failed": _step(
                "stop", "Not filed", outcome="failed", message="The tracker refused it"
            ),
        },
        "links": _links(
            "trigger -> opened",
            "opened:opened -> issue",
            "opened:other -> ignored",
            "issue -> urgent",
            "urgent:urgent -> take",
            "urgent:normal -> file",
            "take:approved -> taken",
            "take:rejected -> file",
            "take:timeout -> file",
            "file:done -> filed",
            "file:error -> failed",
        ),
        "settings": {"risk": "low"},
        "layout": {
            "trigger": [0, 192],
            "opened": [320, 192],
            "issue": [640, 96],
            "ignored": [640, 336],
            "urgent": [960, 96],
            "take": [1280, 0],
            "file": [1280, 240],
            "taken": [1653, 0],
            "filed": [1653, 192],
            "failed": [1653, 360],
        },
    },
)

_REPORT = Example(
    "daily-report",
    "Daily report",
    "Every working day at eight the numbers of the day before are fetched and mailed. If they "
    "cannot be had, the team hears of that instead.",
    {
        "format": FORMAT,
        "name": "Daily report",
        "trigger": {"type": "schedule", "config": {"cron": "0 8 * * 1-5", "zone": "Europe/Berlin"}},
        "steps": {
            "fetch": _step(
                "http.request",
                "Fetch the numbers",
                method="GET",
                url="https://reports.example.com/api/sales",
                query={
                    "day": "=string(date(date and time(trigger.body.scheduled_for))"
                    ' - duration("P1D"))'
                },
                retry={"max_attempts": 5, "first_delay_s": 30},
            ),
            "numbers": _step(
                "map",
                "Numbers",
                fields={
                    "orders": "=get or else(steps.fetch.output.body.orders, 0)",
                    "revenue": "=get or else(steps.fetch.output.body.revenue, 0)",
                },
            ),
            "mail": _step(
                "mail.send",
                "Send the report",
                to="team@example.com",
                subject='="Sales: " + string(steps.numbers.output.orders) + " orders"',
                text='="Orders: " + string(steps.numbers.output.orders) + ", revenue: " '
                "+ string(steps.numbers.output.revenue)",
            ),
            "warn": _step(
                "mail.send",
                "Say that it failed",
                to="team@example.com",
                subject="No sales report today",
                text='="The numbers could not be fetched: " + steps.fetch.error.message',
            ),
            "sent": _step("stop", "Sent", outcome="completed"),
            "missing": _step(
                "stop", "No numbers", outcome="failed", message="The numbers could not be fetched"
            ),
            "unsent": _step(
                "stop", "Mail not sent", outcome="failed", message="The mail could not be sent"
            ),
        },
        "links": _links(
            "trigger -> fetch",
            "fetch:done -> numbers",
            "fetch:error -> warn",
            "numbers -> mail",
            "mail:done -> sent",
            "mail:error -> unsent",
            "warn:done -> missing",
            "warn:error -> unsent",
        ),
        "settings": {"risk": "low"},
        "layout": {
            "trigger": [0, 144],
            "fetch": [320, 144],
            "numbers": [640, 48],
            "warn": [640, 288],
            "mail": [960, 48],
            "sent": [1280, 0],
            "missing": [960, 360],
            "unsent": [1280, 168],
        },
    },
)

EXAMPLES: Mapping[str, Example] = {one.slug: one for one in (_VENDOR, _TRIAGE, _REPORT)}
