"""Invoice approval: who decides follows from the amount; nothing is paid unseen."""

from decimal import Decimal

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


def invoice(say: Say) -> Example:
    """A table chooses the way; above a limit two people decide."""
    name = say("Invoice approval", "Rechnung genehmigen")
    facts = [
        {"label": say("Supplier", "Lieferant"), "value": "=steps.invoice.output.supplier"},
        {"label": say("Number", "Nummer"), "value": "=steps.invoice.output.number"},
        {"label": say("Amount", "Betrag"), "value": "=steps.invoice.output.amount"},
        {"label": say("Currency", "Währung"), "value": "=steps.invoice.output.currency"},
    ]
    asked = say(
        '="Pay invoice " + steps.invoice.output.number + " of " + steps.invoice.output.supplier'
        ' + "?"',
        '="Rechnung " + steps.invoice.output.number + " von " + steps.invoice.output.supplier'
        ' + " bezahlen?"',
    )
    steps = {
        "invoice": step(
            "map",
            say("Invoice", "Rechnung"),
            fields={
                "supplier": "=trigger.body.supplier",
                "number": "=trigger.body.number",
                "amount": "=trigger.body.amount",
                "currency": '=get or else(trigger.body.currency, "EUR")',
                "contact": "=trigger.body.contact",
            },
        ),
        "level": step(
            "table",
            say("Who decides?", "Wer entscheidet?"),
            inputs=[
                {"label": say("Amount", "Betrag"), "expression": "steps.invoice.output.amount"}
            ],
            outputs=[{"name": "way", "label": say("Way", "Weg"), "type": "string"}],
            hit="unique",
            rules=[
                {"when": ["<= 0"], "then": ['"wrong"'], "note": say("No amount", "Kein Betrag")},
                {"when": ["(0..250]"], "then": ['"none"'], "note": say("Small", "Klein")},
                {"when": ["(250..10000]"], "then": ['"one"'], "note": say("Usual", "Üblich")},
                {"when": ["> 10000"], "then": ['"two"'], "note": say("Large", "Groß")},
            ],
        ),
        "way": step(
            "decide",
            say("Which way?", "Welcher Weg?"),
            branches=[
                {"port": "wrong", "when": 'steps.level.output.way = "wrong"'},
                {"port": "two", "when": 'steps.level.output.way = "two"'},
                {"port": "one", "when": 'steps.level.output.way = "one"'},
            ],
            otherwise="none",
        ),
        "one": step(
            "approval",
            say("One approves", "Eine Person genehmigt"),
            title=asked,
            assignees={"groups": ["approver"]},
            rule={"any": 1},
            due="P3D",
            fields=facts,
        ),
        "two": step(
            "approval",
            say("Large sum is approved", "Große Summe wird genehmigt"),
            title=asked,
            details=say(
                "More than 10,000: everybody who is asked must approve.",
                "Mehr als 10.000: Alle, die gefragt werden, müssen genehmigen.",
            ),
            assignees={"groups": ["approver"]},
            rule={"all": True},
            due="P5D",
            fields=facts,
        ),
        "book": mail(
            say("Tell accounting", "Buchhaltung benachrichtigen"),
            to="accounting@example.com",
            subject=say(
                '="Pay invoice " + steps.invoice.output.number',
                '="Rechnung bezahlen: " + steps.invoice.output.number',
            ),
            text='=steps.invoice.output.supplier + ": " + string(steps.invoice.output.amount)'
            ' + " " + steps.invoice.output.currency',
        ),
        "refuse": mail(
            say("Tell the supplier", "Lieferanten benachrichtigen"),
            to="=steps.invoice.output.contact",
            subject=say(
                '="Your invoice " + steps.invoice.output.number',
                '="Ihre Rechnung " + steps.invoice.output.number',
            ),
            text=say(
                "We cannot pay this invoice as it is. Please get in touch with us.",
                "Wir können diese Rechnung so nicht bezahlen. Bitte melden Sie sich bei uns.",
            ),
        ),
        "late": mail(
            say("Remind accounting", "Buchhaltung erinnern"),
            to="accounting@example.com",
            subject=say(
                "An invoice was not decided in time", "Rechnung nicht rechtzeitig entschieden"
            ),
            text='=steps.invoice.output.supplier + ": " + steps.invoice.output.number',
        ),
        "paid": ends(
            say("Passed on", "Weitergegeben"), say("Accounting pays it", "Die Buchhaltung bezahlt")
        ),
        "refused": ends(
            say("Refused", "Abgelehnt"), say("The supplier was told", "Der Lieferant weiß es")
        ),
        "wrong": ends(
            say("No amount", "Kein Betrag"),
            say("The invoice has no amount to pay", "Die Rechnung hat keinen Betrag"),
            outcome="failed",
        ),
        "overdue": ends(
            say("Overdue", "Frist abgelaufen"),
            say("Nobody decided in time", "Niemand hat rechtzeitig entschieden"),
            outcome="failed",
        ),
        "unsent": ends(
            say("Mail not sent", "E-Mail nicht gesendet"),
            say("A mail could not be sent", "Eine E-Mail konnte nicht gesendet werden"),
            outcome="failed",
        ),
    }
    return Example(
        "invoice-approval",
        name,
        say(
            "A table says who decides: small sums pass, usual ones take one approval, large ones"
            " take everybody's. Accounting or the supplier hears the answer.",
            "Eine Tabelle sagt, wer entscheidet: Kleine Summen gehen durch, übliche brauchen eine"
            " Genehmigung, große die aller. Buchhaltung oder Lieferant erfahren die Antwort.",
        ),
        document(
            name,
            trigger=signed_later("invoices", "trigger.body.number"),
            steps=steps,
            links=links(
                "trigger -> invoice",
                "invoice -> level",
                "level -> way",
                "way:none -> book",
                "way:one -> one",
                "way:two -> two",
                "way:wrong -> wrong",
                "one:approved -> book",
                "one:rejected -> refuse",
                "one:timeout -> late",
                "two:approved -> book",
                "two:rejected -> refuse",
                "two:timeout -> late",
                "book:done -> paid",
                "book:error -> unsent",
                "refuse:done -> refused",
                "refuse:error -> unsent",
                "late:done -> overdue",
                "late:error -> unsent",
            ),
            risk="high",
            runbook=say(
                "If a run ended as “Overdue”, ask the approvers and start it again. If a mail was"
                " not sent, look at the mail server first, then do the run again.",
                "Endete ein Lauf mit „Frist abgelaufen“, fragen Sie die Genehmiger und wiederholen"
                " Sie ihn. Wurde eine E-Mail nicht gesendet, sehen Sie zuerst nach dem Mailserver"
                " und wiederholen Sie dann den Lauf.",
            ),
        ),
        (
            Trial(
                say("Small sum", "Kleine Summe"),
                {
                    "supplier": "Paper & Pens",
                    "number": "R-1001",
                    "amount": Decimal("84.50"),
                    "contact": "office@paper.example",
                },
                "paid",
            ),
            Trial(
                say("Usual sum, approved", "Übliche Summe, genehmigt"),
                {
                    "supplier": "Nordlicht GmbH",
                    "number": "R-1002",
                    "amount": 1840,
                    "contact": "office@nordlicht.example",
                },
                "paid",
                {"one": "approved"},
            ),
            Trial(
                say("Usual sum, rejected", "Übliche Summe, abgelehnt"),
                {
                    "supplier": "Nordlicht GmbH",
                    "number": "R-1003",
                    "amount": Decimal("9999.99"),
                    "contact": "office@nordlicht.example",
                },
                "refused",
                {"one": "rejected"},
            ),
            Trial(
                say("Large sum, nobody answers", "Große Summe, niemand antwortet"),
                {
                    "supplier": "Blue Harbor",
                    "number": "R-1004",
                    "amount": 48200,
                    "currency": "USD",
                    "contact": "office@blue-harbor.example",
                },
                "overdue",
                {"two": "timeout"},
            ),
            Trial(
                say("No amount", "Kein Betrag"),
                {
                    "supplier": "Blue Harbor",
                    "number": "R-1005",
                    "amount": 0,
                    "contact": "office@blue-harbor.example",
                },
                "wrong",
            ),
        ),
    )
