"""Flows to start from: each shows one way of working, and has no errors.

The paved roads are in every language; the two smaller ones show one thing each, in English.
"""

from collections.abc import Mapping
from functools import cache

from apps.flows.roads import SAYS, Example
from apps.flows.roads import links as _links
from apps.flows.roads import step as _step
from apps.flows.roads.access import access
from apps.flows.roads.employee import employee
from apps.flows.roads.incident import incident
from apps.flows.roads.invoice import invoice
from apps.flows.roads.refund import refund
from apps.flows.roads.vendor import vendor
from apps.steps.document import FORMAT

ROADS = (vendor, invoice, access, employee, refund, incident)

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


@cache
def examples(language: str = "en") -> Mapping[str, Example]:
    """Everything to start from, by its short name, in this language where it is there."""
    say = SAYS.get(language.split("-", maxsplit=1)[0], SAYS["en"])
    return {one.slug: one for one in (*(road(say) for road in ROADS), _TRIAGE, _REPORT)}


EXAMPLES = examples()
