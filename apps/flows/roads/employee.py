"""Employee onboarding: what has to be ready on the first day, each thing by whoever does it."""

from apps.flows.roads import Example, Say, Trial, by_hand, document, ends, links, mail, step


def employee(say: Say) -> Example:
    """Several ways at once, joined; what is not ready is said before the first day, not on it."""
    name = say("Employee onboarding", "Neue Mitarbeitende")
    facts = [
        {"label": say("Name", "Name"), "value": "=trigger.body.name"},
        {"label": say("First day", "Erster Tag"), "value": "=trigger.body.starts"},
        {"label": say("Work", "Aufgabe"), "value": "=trigger.body.work"},
    ]
    steps = {
        "agree": step(
            "approval",
            say("Lead agrees", "Leitung stimmt zu"),
            title=say(
                '="Does " + trigger.body.name + " begin as planned?"',
                '="Beginnt " + trigger.body.name + " wie geplant?"',
            ),
            assignees={"groups": ["approver"]},
            rule={"any": 1},
            due="P3D",
            fields=facts,
        ),
        "items": step(
            "for_each",
            say("Order each thing", "Jedes Ding bestellen"),
            items="trigger.body.needs",
            parallel=3,
        ),
        "order": {
            **mail(
                say("Order it", "Bestellen"),
                to="purchasing@example.com",
                subject=say('="Please order: " + item', '="Bitte bestellen: " + item'),
                text=say(
                    '="For " + trigger.body.name + ", by " + trigger.body.starts + "."',
                    '="Für " + trigger.body.name + ", bis " + trigger.body.starts + "."',
                ),
            ),
            "in": "items",
            # What was ordered stays ordered; somebody sees to the rest.
            "on_error": {"then": "ask"},
        },
        "accounts": step(
            "approval",
            say("Accounts are ready", "Konten sind eingerichtet"),
            title=say(
                '="Are the accounts of " + trigger.body.name + " ready?"',
                '="Sind die Konten von " + trigger.body.name + " eingerichtet?"',
            ),
            details=say(
                "Set up mail, calendar and the tools of the work, then say so here.",
                "Richten Sie E-Mail, Kalender und Programme ein, und sagen Sie es dann hier.",
            ),
            assignees={"groups": ["operator"]},
            rule={"any": 1},
            due="P5D",
            fields=facts,
        ),
        "ready": step("join", say("All is under way", "Alles ist im Gang"), mode="active"),
        "whole": step(
            "decide",
            say("Is anything missing?", "Fehlt etwas?"),
            branches=[
                {
                    "port": "missing",
                    "when": "is defined(steps.items.error)"
                    ' or get or else(steps.accounts.output.outcome, "") != "approved"',
                }
            ],
            otherwise="nothing",
        ),
        "welcome": mail(
            say("Say welcome", "Willkommen heißen"),
            to="=trigger.body.mail",
            subject=say('="Welcome, " + trigger.body.name', '="Willkommen, " + trigger.body.name'),
            text=say(
                '="We look forward to your first day, " + trigger.body.starts + "."',
                '="Wir freuen uns auf Ihren ersten Tag, " + trigger.body.starts + "."',
            ),
        ),
        "warn": mail(
            say("Tell the lead", "Leitung benachrichtigen"),
            to="people@example.com",
            subject=say(
                '="Not ready for " + trigger.body.name',
                '="Noch nicht bereit für " + trigger.body.name',
            ),
            text=say(
                "The accounts were not set up in time. Please see to it yourself.",
                "Die Konten wurden nicht rechtzeitig eingerichtet. Bitte kümmern Sie sich selbst.",
            ),
        ),
        "done": ends(
            say("All is ready", "Alles ist bereit"),
            say("The first day can come", "Der erste Tag kann kommen"),
        ),
        "off": ends(
            say("Does not begin", "Beginnt nicht"),
            say("The lead said no", "Die Leitung hat abgelehnt"),
        ),
        "late": ends(
            say("Not decided", "Nicht entschieden"),
            say("The lead did not answer in time", "Die Leitung hat nicht rechtzeitig geantwortet"),
            outcome="failed",
        ),
        "unready": ends(
            say("Something is missing", "Etwas fehlt"),
            say("Not all is ready for the first day", "Nicht alles ist bereit für den ersten Tag"),
            outcome="failed",
        ),
        "unsent": ends(
            say("Mail not sent", "E-Mail nicht gesendet"),
            say("A mail could not be sent", "Eine E-Mail konnte nicht gesendet werden"),
            outcome="failed",
        ),
    }
    body = {
        "name": "Lin Wei",
        "mail": "lin@example.com",
        "work": say("Design", "Gestaltung"),
        "starts": "2027-01-04",
        "needs": [say("Laptop", "Laptop"), say("Phone", "Telefon"), say("Badge", "Ausweis")],
    }
    return Example(
        "employee-onboarding",
        name,
        say(
            "Once the lead agrees, each thing is ordered and accounts are set up at the same time."
            " What is not ready is said before the first day.",
            "Sobald die Leitung zustimmt, wird jedes Ding bestellt und zugleich werden Konten"
            " eingerichtet. Was nicht bereit ist, wird vor dem ersten Tag gesagt.",
        ),
        document(
            name,
            trigger=by_hand(
                name=(say("Name", "Name"), {"type": "string", "minLength": 1}),
                mail=(say("Mail address", "E-Mail-Adresse"), {"type": "string", "format": "email"}),
                work=(say("Work", "Aufgabe"), {"type": "string", "minLength": 1}),
                starts=(say("First day", "Erster Tag"), {"type": "string", "format": "date"}),
                needs=(
                    say("Things needed", "Was gebraucht wird"),
                    {"type": "array", "items": {"type": "string"}, "maxItems": 20},
                ),
            ),
            steps=steps,
            links=links(
                "trigger -> agree",
                "agree:approved -> items",
                "agree:approved -> accounts",
                "agree:rejected -> off",
                "agree:timeout -> late",
                "items:body -> order",
                "items:done -> ready",
                "items:error -> ready",
                "accounts:approved -> ready",
                "accounts:rejected -> warn",
                "accounts:timeout -> warn",
                "warn:done -> ready",
                "warn:error -> ready",
                "ready -> whole",
                "whole:nothing -> welcome",
                "whole:missing -> unready",
                "welcome:done -> done",
                "welcome:error -> unsent",
            ),
            risk="low",
            runbook=say(
                "If something is missing, see to it by hand and do the run again from"
                " “Say welcome”.",
                "Fehlt etwas, kümmern Sie sich von Hand darum und wiederholen Sie den Lauf ab"
                " „Willkommen heißen“.",
            ),
        ),
        (
            Trial(
                say("All goes well", "Alles geht gut"),
                body,
                "done",
                {"agree": "approved", "accounts": "approved"},
            ),
            Trial(
                say("Accounts are late", "Konten zu spät"),
                {**body, "needs": []},
                "unready",
                {"agree": "approved", "accounts": "timeout"},
            ),
            Trial(say("Does not begin", "Beginnt nicht"), body, "off", {"agree": "rejected"}),
            Trial(
                say("Lead does not answer", "Leitung antwortet nicht"),
                body,
                "late",
                {"agree": "timeout"},
            ),
        ),
    )
