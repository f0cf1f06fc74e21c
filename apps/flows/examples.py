"""Flows to start from: each shows one way of working, and has no errors.

The paved roads are whole; two smaller ones show one thing each. All are in every language.
"""

from collections.abc import Mapping
from functools import cache

from apps.flows.roads import SAYS, Example, Say
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


def _triage(say: Say) -> Example:
    """GitHub's issues: urgent ones to a person, the rest to a tracker."""
    name = say("GitHub issue triage", "GitHub-Tickets sichten")
    return Example(
        "github-triage",
        name,
        say(
            "GitHub sends every new issue, signed. Urgent ones are put before a person at once, "
            "the rest are passed on to the tracker.",
            "GitHub sendet jedes neue Ticket, unterschrieben. Dringende kommen sofort vor einen "
            "Menschen, die übrigen in die Verfolgung.",
        ),
        {
            "format": FORMAT,
            "name": name,
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
                    say("New issue?", "Neues Ticket?"),
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
                    say("Issue", "Ticket"),
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
                    say("Urgent?", "Dringend?"),
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
                    say("Somebody takes it", "Jemand übernimmt es"),
                    title=say(
                        '="Take issue " + string(steps.issue.output.number) + " now?"',
                        '="Ticket " + string(steps.issue.output.number) + " jetzt übernehmen?"',
                    ),
                    details="=steps.issue.output.title",
                    assignees={"groups": ["operator", "builder"]},
                    rule={"any": 1},
                    due="PT4H",
                    fields=[
                        {"label": say("Issue", "Ticket"), "value": "=steps.issue.output.url"},
                        {"label": say("From", "Von"), "value": "=steps.issue.output.author"},
                    ],
                ),
                "file": _step(
                    "http.request",
                    say("File it in the tracker", "In die Verfolgung aufnehmen"),
                    method="POST",
                    url="https://tracker.example.com/api/issues",
                    body={
                        "title": "=steps.issue.output.title",
                        "source": "=steps.issue.output.url",
                        "priority": "normal",
                    },
                ),
                "taken": _step(
                    "stop",
                    say("Taken", "Übernommen"),
                    outcome="completed",
                    message=say("Somebody works on it", "Jemand arbeitet daran"),
                ),
                "filed": _step(
                    "stop",
                    say("Filed", "Aufgenommen"),
                    outcome="completed",
                    message=say("Filed in the tracker", "In die Verfolgung aufgenommen"),
                ),
                "ignored": _step(
                    "stop", say("Nothing to do", "Nichts zu tun"), outcome="completed"
                ),
                "failed": _step(
                    "stop",
                    say("Not filed", "Nicht aufgenommen"),
                    outcome="failed",
                    message=say("The tracker refused it", "Die Verfolgung hat es abgelehnt"),
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


def _report(say: Say) -> Example:
    """Numbers fetched by a schedule and mailed; the team hears where they cannot be had."""
    name = say("Daily report", "Tagesbericht")
    return Example(
        "daily-report",
        name,
        say(
            "Every working day at eight the numbers of the day before are fetched and mailed. If "
            "they cannot be had, the team hears of that instead.",
            "An jedem Werktag um acht werden die Zahlen des Vortags geholt und gesendet. Sind sie "
            "nicht zu haben, erfährt das Team stattdessen davon.",
        ),
        {
            "format": FORMAT,
            "name": name,
            "trigger": {
                "type": "schedule",
                "config": {"cron": "0 8 * * 1-5", "zone": "Europe/Berlin"},
            },
            "steps": {
                "fetch": _step(
                    "http.request",
                    say("Fetch the numbers", "Die Zahlen holen"),
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
                    say("Numbers", "Zahlen"),
                    fields={
                        "orders": "=get or else(steps.fetch.output.body.orders, 0)",
                        "revenue": "=get or else(steps.fetch.output.body.revenue, 0)",
                    },
                ),
                "mail": _step(
                    "mail.send",
                    say("Send the report", "Den Bericht senden"),
                    to="team@example.com",
                    subject=say(
                        '="Sales: " + string(steps.numbers.output.orders) + " orders"',
                        '="Verkauf: " + string(steps.numbers.output.orders) + " Bestellungen"',
                    ),
                    text=say(
                        '="Orders: " + string(steps.numbers.output.orders) + ", revenue: " '
                        "+ string(steps.numbers.output.revenue)",
                        '="Bestellungen: " + string(steps.numbers.output.orders) + ", Umsatz: " '
                        "+ string(steps.numbers.output.revenue)",
                    ),
                ),
                "warn": _step(
                    "mail.send",
                    say("Say that it failed", "Sagen, dass es nicht ging"),
                    to="team@example.com",
                    subject=say("No sales report today", "Heute kein Verkaufsbericht"),
                    text=say(
                        '="The numbers could not be fetched: " + steps.fetch.error.message',
                        '="Die Zahlen waren nicht zu holen: " + steps.fetch.error.message',
                    ),
                ),
                "sent": _step("stop", say("Sent", "Gesendet"), outcome="completed"),
                "missing": _step(
                    "stop",
                    say("No numbers", "Keine Zahlen"),
                    outcome="failed",
                    message=say(
                        "The numbers could not be fetched", "Die Zahlen waren nicht zu holen"
                    ),
                ),
                "unsent": _step(
                    "stop",
                    say("Mail not sent", "E-Mail nicht gesendet"),
                    outcome="failed",
                    message=say("The mail could not be sent", "Die E-Mail ging nicht hinaus"),
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
    return {one.slug: one for one in (road(say) for road in (*ROADS, _triage, _report))}


EXAMPLES = examples()
