"""Refund with limits: small ones at once, larger ones decided, above the limit nobody."""

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


def refund(say: Say) -> Example:
    """The limits stand in a table that a person can read and change."""
    name = say("Refund with limits", "Erstattung mit Grenzen")
    steps = {
        "limits": step(
            "table",
            say("Limits", "Grenzen"),
            inputs=[
                {"label": say("Amount", "Betrag"), "expression": "trigger.body.amount"},
                {
                    "label": say("Days since the order", "Tage seit der Bestellung"),
                    "expression": "trigger.body.days",
                },
            ],
            outputs=[
                {"name": "way", "label": say("Way", "Weg"), "type": "string"},
                {"name": "why", "label": say("Why", "Warum"), "type": "string"},
            ],
            hit="unique",
            rules=[
                {
                    "when": ["<= 0", "-"],
                    "then": [
                        '"no"',
                        say('"There is nothing to refund."', '"Es ist nichts zu erstatten."'),
                    ],
                },
                {
                    "when": ["> 0", "> 90"],
                    "then": [
                        '"no"',
                        say(
                            '"The order is older than 90 days."',
                            '"Die Bestellung ist älter als 90 Tage."',
                        ),
                    ],
                },
                {
                    "when": ["> 5000", "<= 90"],
                    "then": [
                        '"no"',
                        say(
                            '"More than 5,000 is decided by contract."',
                            '"Mehr als 5.000 regelt der Vertrag."',
                        ),
                    ],
                },
                {
                    "when": ["(0..100]", "<= 30"],
                    "then": ['"yes"', say('"Small and recent."', '"Klein und neu."')],
                },
                {
                    "when": ["(0..100]", "(30..90]"],
                    "then": ['"ask"', say('"Small but late."', '"Klein, aber spät."')],
                },
                {
                    "when": ["(100..5000]", "<= 90"],
                    "then": ['"ask"', say('"A person decides."', '"Jemand entscheidet."')],
                },
            ],
        ),
        "way": step(
            "decide",
            say("Which way?", "Welcher Weg?"),
            branches=[
                {"port": "at once", "when": 'steps.limits.output.way = "yes"'},
                {"port": "ask", "when": 'steps.limits.output.way = "ask"'},
            ],
            otherwise="not",
        ),
        "approve": step(
            "approval",
            say("Refund is approved", "Erstattung wird genehmigt"),
            title=say(
                '="Refund " + string(trigger.body.amount) + " for order " + trigger.body.order'
                ' + "?"',
                '=string(trigger.body.amount) + " für Bestellung " + trigger.body.order'
                ' + " erstatten?"',
            ),
            details="=trigger.body.reason",
            assignees={"groups": ["approver"]},
            rule={"any": 1},
            due="P1D",
            fields=[
                {"label": say("Order", "Bestellung"), "value": "=trigger.body.order"},
                {"label": say("Amount", "Betrag"), "value": "=trigger.body.amount"},
                {
                    "label": say("Days since the order", "Tage seit der Bestellung"),
                    "value": "=trigger.body.days",
                },
            ],
        ),
        "pay": mail(
            say("Have it paid out", "Auszahlen lassen"),
            to="payments@example.com",
            subject=say(
                '="Refund for order " + trigger.body.order',
                '="Erstattung zu Bestellung " + trigger.body.order',
            ),
            text="=string(trigger.body.amount)",
        ),
        "yes": mail(
            say("Tell the customer", "Kundin oder Kunden benachrichtigen"),
            to="=trigger.body.customer",
            subject=say("Your refund is on its way", "Ihre Erstattung ist unterwegs"),
            text=say("It reaches you within five days.", "Sie erhalten sie binnen fünf Tagen."),
        ),
        "sorry": mail(
            say("Say why not", "Sagen, warum nicht"),
            to="=trigger.body.customer",
            subject=say("Your refund", "Ihre Erstattung"),
            text=say(
                '="We cannot refund this order. " + steps.limits.output.why',
                '="Wir können diese Bestellung nicht erstatten. " + steps.limits.output.why',
            ),
        ),
        "paid": ends(
            say("Refunded", "Erstattet"),
            say("The refund is paid out", "Die Erstattung wird ausgezahlt"),
        ),
        "refused": ends(
            say("Not refunded", "Nicht erstattet"),
            say("The customer was told why", "Der Grund wurde mitgeteilt"),
        ),
        "late": ends(
            say("Not decided", "Nicht entschieden"),
            say(
                "Nobody decided in time; nothing was paid",
                "Niemand hat rechtzeitig entschieden; nichts wurde ausgezahlt",
            ),
            outcome="failed",
        ),
        "unsent": ends(
            say("Mail not sent", "E-Mail nicht gesendet"),
            say("A mail could not be sent", "Eine E-Mail konnte nicht gesendet werden"),
            outcome="failed",
        ),
    }
    body = {
        "customer": "kim@example.com",
        "reason": say("It came broken.", "Es kam beschädigt an."),
    }
    return Example(
        "refund-limits",
        name,
        say(
            "A table holds the limits: small refunds go out at once, larger ones are decided within"
            " a day, and beyond the limits the customer hears why not.",
            "Eine Tabelle hält die Grenzen: Kleine Erstattungen gehen sofort hinaus, größere werden"
            " binnen eines Tages entschieden, und jenseits der Grenzen wird gesagt, warum nicht.",
        ),
        document(
            name,
            trigger=signed_later("refunds", "trigger.body.order"),
            steps=steps,
            links=links(
                "trigger -> limits",
                "limits -> way",
                "way:at once -> pay",
                "way:ask -> approve",
                "way:not -> sorry",
                "approve:approved -> pay",
                "approve:rejected -> sorry",
                "approve:timeout -> late",
                "pay:done -> yes",
                "pay:error -> unsent",
                "yes:done -> paid",
                "yes:error -> unsent",
                "sorry:done -> refused",
                "sorry:error -> unsent",
            ),
            risk="high",
            runbook=say(
                "Before you do a run again, see whether “Have it paid out” was sent: a refund must"
                " not go out twice.",
                "Bevor Sie einen Lauf wiederholen, sehen Sie nach, ob „Auszahlen lassen“ gesendet"
                " wurde: Eine Erstattung darf nicht zweimal hinausgehen.",
            ),
        ),
        (
            Trial(
                say("Small and recent", "Klein und neu"),
                {**body, "order": "B-1", "amount": 35, "days": 4},
                "paid",
            ),
            Trial(
                say("Larger, approved", "Größer, genehmigt"),
                {**body, "order": "B-2", "amount": 420, "days": 12},
                "paid",
                {"approve": "approved"},
            ),
            Trial(
                say("Small but late, rejected", "Klein, aber spät, abgelehnt"),
                {**body, "order": "B-3", "amount": 60, "days": 45},
                "refused",
                {"approve": "rejected"},
            ),
            Trial(
                say("Nobody answers", "Niemand antwortet"),
                {**body, "order": "B-4", "amount": 420, "days": 12},
                "late",
                {"approve": "timeout"},
            ),
            Trial(
                say("Too old", "Zu alt"),
                {**body, "order": "B-5", "amount": 20, "days": 200},
                "refused",
            ),
            Trial(
                say("Beyond the limit", "Über der Grenze"),
                {**body, "order": "B-6", "amount": 7000, "days": 2},
                "refused",
            ),
        ),
    )
