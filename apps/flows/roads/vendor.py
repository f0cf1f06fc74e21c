"""Vendor onboarding: small contracts pass, large ones wait for an approval."""

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


def vendor(say: Say) -> Example:
    """Whoever asked hears the answer by mail, whatever it is."""
    name = say("Vendor onboarding", "Lieferanten aufnehmen")
    steps = {
        "vendor": step(
            "map",
            say("Vendor", "Lieferant"),
            fields={
                "name": "=trigger.body.name",
                "amount": "=get or else(trigger.body.amount, 0)",
                "contact": "=trigger.body.contact",
            },
        ),
        "size": step(
            "decide",
            say("Large contract?", "Großer Vertrag?"),
            branches=[{"port": "large", "when": "steps.vendor.output.amount > 10000"}],
            otherwise="small",
        ),
        "approve": step(
            "approval",
            say("Vendor is approved", "Lieferant wird genehmigt"),
            title=say(
                '="Approve " + steps.vendor.output.name + " as a vendor?"',
                '=steps.vendor.output.name + " als Lieferant genehmigen?"',
            ),
            details=say(
                "Check the **name** and the **amount**. A rejected vendor gets a mail.",
                "Prüfen Sie **Name** und **Betrag**. Wer abgelehnt wird, erhält eine E-Mail.",
            ),
            assignees={"groups": ["approver"]},
            rule={"any": 1},
            due="P2D",
            fields=[
                {"label": say("Vendor", "Lieferant"), "value": "=steps.vendor.output.name"},
                {"label": say("Amount", "Betrag"), "value": "=steps.vendor.output.amount"},
                {"label": say("Contact", "Kontakt"), "value": "=steps.vendor.output.contact"},
            ],
        ),
        "welcome": mail(
            say("Say welcome", "Willkommen heißen"),
            to="=steps.vendor.output.contact",
            subject=say(
                '="Welcome, " + steps.vendor.output.name',
                '="Willkommen, " + steps.vendor.output.name',
            ),
            text=say(
                "You are now a vendor of ours. We will be in touch.",
                "Sie sind jetzt unser Lieferant. Wir melden uns bei Ihnen.",
            ),
        ),
        "decline": mail(
            say("Say no", "Absagen"),
            to="=steps.vendor.output.contact",
            subject=say("About your application", "Zu Ihrer Bewerbung"),
            text=say(
                "Thank you for your interest. At this time we cannot go on.",
                "Danke für Ihr Interesse. Zurzeit können wir nicht zusammenkommen.",
            ),
        ),
        "remind": mail(
            say("Tell the team", "Team benachrichtigen"),
            to="vendors@example.com",
            subject=say("A vendor waits for an answer", "Ein Lieferant wartet auf Antwort"),
            text=say(
                '="Nobody answered in time about " + steps.vendor.output.name + "."',
                '="Niemand hat rechtzeitig geantwortet: " + steps.vendor.output.name + "."',
            ),
        ),
        "accepted": ends(say("Accepted", "Aufgenommen"), say("Accepted", "Aufgenommen")),
        "declined": ends(say("Declined", "Abgelehnt"), say("Declined", "Abgelehnt")),
        "overdue": ends(
            say("Overdue", "Frist abgelaufen"),
            say("Nobody answered in time", "Niemand hat rechtzeitig geantwortet"),
            outcome="failed",
        ),
        "unsent": ends(
            say("Mail not sent", "E-Mail nicht gesendet"),
            say("A mail could not be sent", "Eine E-Mail konnte nicht gesendet werden"),
            outcome="failed",
        ),
    }
    made = document(
        name,
        trigger=signed_later("vendors", "trigger.body.id"),
        steps=steps,
        links=links(
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
        risk="medium",
        runbook=say(
            "If nobody answered in time, ask the approvers and do the run again. If a mail was not"
            " sent, look at the mail server first.",
            "Hat niemand rechtzeitig geantwortet, fragen Sie die Genehmiger und wiederholen Sie den"
            " Lauf. Wurde eine E-Mail nicht gesendet, sehen Sie zuerst nach dem Mailserver.",
        ),
    )
    body = {"contact": "office@blue-harbor.example"}
    return Example(
        "vendor-onboarding",
        name,
        say(
            "A form or a portal sends a new vendor. Small contracts pass, large ones wait for an "
            "approval, and whoever asked hears the answer by mail.",
            "Ein Formular oder Portal meldet einen neuen Lieferanten. Kleine Verträge gehen durch,"
            " große warten auf eine Genehmigung, und die Antwort kommt per E-Mail.",
        ),
        made,
        (
            Trial(
                say("Small contract", "Kleiner Vertrag"),
                {**body, "id": "V-1", "name": "Blue Harbor", "amount": 900},
                "accepted",
            ),
            Trial(
                say("Large, approved", "Groß, genehmigt"),
                {**body, "id": "V-2", "name": "Blue Harbor", "amount": 25000},
                "accepted",
                {"approve": "approved"},
            ),
            Trial(
                say("Large, rejected", "Groß, abgelehnt"),
                {**body, "id": "V-3", "name": "Blue Harbor", "amount": 25000},
                "declined",
                {"approve": "rejected"},
            ),
            Trial(
                say("Nobody answers", "Niemand antwortet"),
                {**body, "id": "V-4", "name": "Blue Harbor", "amount": 25000},
                "overdue",
                {"approve": "timeout"},
            ),
        ),
    )
