"""Incident routing: who is called follows from what broke and how badly; silence escalates."""

from apps.flows.roads import (
    Example,
    Say,
    Trial,
    document,
    ends,
    links,
    mail,
    signed_later,
    step,
)


def incident(say: Say) -> Example:
    """Somebody takes it within minutes, or the next are asked."""
    name = say("Incident routing", "Störungen zuteilen")
    facts = [
        {"label": say("Service", "Dienst"), "value": "=trigger.body.service"},
        {"label": say("Level", "Stufe"), "value": "=steps.route.output.level"},
        {"label": say("What happened", "Was geschah"), "value": "=trigger.body.what"},
    ]
    asked = say(
        '="Do you take it? " + trigger.body.service + ": " + trigger.body.what',
        '="Übernehmen Sie? " + trigger.body.service + ": " + trigger.body.what',
    )
    steps = {
        "route": step(
            "table",
            say("How bad, and whose?", "Wie schlimm, und wessen?"),
            inputs=[
                {"label": say("Service", "Dienst"), "expression": "trigger.body.service"},
                {
                    "label": say("People affected", "Betroffene"),
                    "expression": "trigger.body.affected",
                },
            ],
            outputs=[
                {"name": "level", "label": say("Level", "Stufe"), "type": "number"},
                {
                    "name": "team",
                    "label": say("Mail of the team", "E-Mail des Teams"),
                    "type": "string",
                },
            ],
            hit="unique",
            rules=[
                {
                    "when": ['"payments"', "-"],
                    "then": ["1", '"payments-oncall@example.com"'],
                    "note": say("Money is always urgent", "Geld ist immer dringend"),
                },
                {"when": ['not("payments")', ">= 100"], "then": ["1", '"oncall@example.com"']},
                {"when": ['not("payments")', "[1..100)"], "then": ["2", '"oncall@example.com"']},
                {
                    "when": ['not("payments")', "< 1"],
                    "then": ["3", '"service-desk@example.com"'],
                    "note": say("Nobody is affected", "Niemand ist betroffen"),
                },
            ],
        ),
        "level": step(
            "decide",
            say("Urgent?", "Dringend?"),
            branches=[
                {"port": "now", "when": "steps.route.output.level = 1"},
                {"port": "today", "when": "steps.route.output.level = 2"},
            ],
            otherwise="in turn",
        ),
        "call": mail(
            say("Call the team", "Team rufen"),
            to="=steps.route.output.team",
            subject='="[" + string(steps.route.output.level) + "] " + trigger.body.service',
            text="=trigger.body.what",
        ),
        "take": step(
            "approval",
            say("Somebody takes it", "Jemand übernimmt"),
            title=asked,
            assignees={"groups": ["operator"]},
            rule={"any": 1},
            due="PT15M",
            fields=facts,
        ),
        "next": step(
            "approval",
            say("The next are asked", "Die Nächsten werden gefragt"),
            title=asked,
            details=say(
                "Nobody took it within 15 minutes, or whoever was asked could not.",
                "Binnen 15 Minuten hat niemand übernommen, oder wer gefragt war, konnte nicht.",
            ),
            assignees={"groups": ["admin", "approver"]},
            rule={"any": 1},
            due="PT30M",
            fields=facts,
        ),
        "today": step(
            "approval",
            say("Somebody takes it today", "Jemand übernimmt heute"),
            title=asked,
            assignees={"groups": ["operator"]},
            rule={"any": 1},
            due="PT8H",
            fields=facts,
        ),
        "desk": mail(
            say("Leave it to the desk", "An den Kundendienst geben"),
            to="=steps.route.output.team",
            subject="=trigger.body.service",
            text="=trigger.body.what",
        ),
        "taken": ends(
            say("Taken", "Übernommen"), say("Somebody works on it", "Jemand kümmert sich")
        ),
        "queued": ends(
            say("In turn", "Der Reihe nach"), say("The desk has it", "Der Kundendienst hat es")
        ),
        "alone": ends(
            say("Nobody took it", "Niemand hat übernommen"),
            say("An urgent incident is with nobody", "Eine dringende Störung liegt bei niemandem"),
            outcome="failed",
        ),
        "unsent": ends(
            say("Mail not sent", "E-Mail nicht gesendet"),
            say("A mail could not be sent", "Eine E-Mail konnte nicht gesendet werden"),
            outcome="failed",
        ),
    }
    return Example(
        "incident-routing",
        name,
        say(
            "A table says how urgent an incident is and whose. Urgent ones are taken within minutes"
            " or go to the next people; what affects nobody waits its turn.",
            "Eine Tabelle sagt, wie dringend eine Störung ist und wessen. Dringende werden binnen"
            " Minuten übernommen oder gehen an die Nächsten; was niemanden trifft, wartet.",
        ),
        document(
            name,
            trigger=signed_later("incidents", "trigger.body.id"),
            steps=steps,
            links=links(
                "trigger -> route",
                "route -> level",
                "level:now -> call",
                "level:today -> today",
                "level:in turn -> desk",
                "call:done -> take",
                "call:error -> take",
                "take:approved -> taken",
                "take:rejected -> next",
                "take:timeout -> next",
                "next:approved -> taken",
                "next:rejected -> alone",
                "next:timeout -> alone",
                "today:approved -> taken",
                "today:rejected -> desk",
                "today:timeout -> next",
                "desk:done -> queued",
                "desk:error -> unsent",
            ),
            risk="high",
            runbook=say(
                "“Nobody took it” means that an urgent incident is with nobody: call the on-call"
                " phone at once, then see why nobody answered.",
                "„Niemand hat übernommen“ heißt, dass eine dringende Störung bei niemandem liegt:"
                " Rufen Sie sofort den Bereitschaftsdienst an, und sehen Sie dann, warum niemand"
                " geantwortet hat.",
            ),
        ),
        (
            Trial(
                say("Payments are down", "Zahlungen stehen"),
                {
                    "id": "I-1",
                    "service": "payments",
                    "affected": 3,
                    "what": say("Cards are refused", "Karten werden abgelehnt"),
                },
                "taken",
                {"take": "approved"},
            ),
            Trial(
                say("The first do not answer", "Die Ersten antworten nicht"),
                {
                    "id": "I-2",
                    "service": "shop",
                    "affected": 900,
                    "what": say("The shop is slow", "Der Laden ist langsam"),
                },
                "taken",
                {"take": "timeout", "next": "approved"},
            ),
            Trial(
                say("Nobody answers", "Niemand antwortet"),
                {
                    "id": "I-3",
                    "service": "shop",
                    "affected": 900,
                    "what": say("The shop is away", "Der Laden ist weg"),
                },
                "alone",
                {"take": "rejected", "next": "timeout"},
            ),
            Trial(
                say("A few are affected", "Einige sind betroffen"),
                {
                    "id": "I-4",
                    "service": "search",
                    "affected": 12,
                    "what": say("Search finds too little", "Die Suche findet zu wenig"),
                },
                "taken",
                {"today": "approved"},
            ),
            Trial(
                say("Nobody is affected", "Niemand ist betroffen"),
                {
                    "id": "I-5",
                    "service": "reports",
                    "affected": 0,
                    "what": say("A picture is missing", "Ein Bild fehlt"),
                },
                "queued",
            ),
        ),
    )
