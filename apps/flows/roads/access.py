"""Access request: asked by form, decided in time, given, and taken back when it is over."""

from apps.flows.roads import Example, Say, Trial, by_hand, document, ends, links, mail, step


def access(say: Say) -> Example:
    """Whoever asks cannot approve; access for a time ends by itself."""
    name = say("Access request", "Zugang beantragen")
    what = say(
        '=trigger.body.system + " for " + trigger.body.who',
        '=trigger.body.system + " für " + trigger.body.who',
    )
    steps = {
        "approve": step(
            "approval",
            say("Owner approves", "Verantwortliche genehmigen"),
            title=say(
                '="Give " + trigger.body.who + " access to " + trigger.body.system + "?"',
                '=trigger.body.who + " Zugang zu " + trigger.body.system + " geben?"',
            ),
            details="=trigger.body.why",
            assignees={"groups": ["approver"]},
            rule={"any": 1},
            due="P2D",
            fields=[
                {"label": say("Person", "Person"), "value": "=trigger.body.who"},
                {"label": say("System", "System"), "value": "=trigger.body.system"},
                {"label": say("Days", "Tage"), "value": "=trigger.body.days"},
            ],
        ),
        "give": mail(
            say("Have access given", "Zugang geben lassen"),
            to="it@example.com",
            subject=say("Please give access", "Bitte Zugang geben"),
            text=what,
        ),
        "bounded": step(
            "decide",
            say("For a time?", "Auf Zeit?"),
            branches=[{"port": "for a time", "when": "trigger.body.days > 0"}],
            otherwise="for good",
        ),
        "until": step(
            "delay",
            say("Wait until it is over", "Warten, bis es vorbei ist"),
            **{"for": '="P" + string(trigger.body.days) + "D"'},
        ),
        "take": mail(
            say("Have it taken back", "Zugang nehmen lassen"),
            to="it@example.com",
            subject=say("Please take access back", "Bitte Zugang wieder nehmen"),
            text=what,
        ),
        "no": mail(
            say("Say no", "Absagen"),
            to="=trigger.body.mail",
            subject=say("Your request for access", "Ihr Antrag auf Zugang"),
            text=say(
                "Your request was not approved. Ask the owner of the system why.",
                "Ihr Antrag wurde nicht genehmigt. Fragen Sie die Verantwortlichen, warum.",
            ),
        ),
        "given": ends(
            say("Given", "Gegeben"), say("Access is given for good", "Der Zugang gilt auf Dauer")
        ),
        "over": ends(
            say("Taken back", "Wieder genommen"), say("The time is over", "Die Zeit ist um")
        ),
        "refused": ends(
            say("Refused", "Abgelehnt"), say("Access was refused", "Der Zugang wurde abgelehnt")
        ),
        "late": ends(
            say("Not decided", "Nicht entschieden"),
            say(
                "Nobody decided in time; no access was given",
                "Niemand hat rechtzeitig entschieden; es gibt keinen Zugang",
            ),
            outcome="failed",
        ),
        "unsent": ends(
            say("Mail not sent", "E-Mail nicht gesendet"),
            say("A mail could not be sent", "Eine E-Mail konnte nicht gesendet werden"),
            outcome="failed",
        ),
    }
    asked = {
        "who": "Ada Byron",
        "mail": "ada@example.com",
        "system": say("Customer records", "Kundendaten"),
        "why": say(
            "I help the service team in December.", "Ich helfe im Dezember im Kundendienst."
        ),
    }
    return Example(
        "access-request",
        name,
        say(
            "Somebody asks for access by a form. The owner decides within two days, IT is told, and"
            " access for a time is taken back by itself.",
            "Jemand beantragt Zugang mit einem Formular. Binnen zwei Tagen wird entschieden, die IT"
            " erfährt es, und Zugang auf Zeit wird von selbst wieder genommen.",
        ),
        document(
            name,
            trigger=by_hand(
                who=(say("Who needs it", "Wer braucht ihn"), {"type": "string", "minLength": 1}),
                mail=(say("Mail address", "E-Mail-Adresse"), {"type": "string", "format": "email"}),
                system=(say("To what", "Wozu"), {"type": "string", "minLength": 1}),
                why=(say("Why", "Warum"), {"type": "string", "minLength": 1}),
                days=(
                    say("For how many days; 0: for good", "Für wie viele Tage; 0: auf Dauer"),
                    {"type": "integer", "minimum": 0, "maximum": 365, "default": 0},
                ),
            ),
            steps=steps,
            links=links(
                "trigger -> approve",
                "approve:approved -> give",
                "approve:rejected -> no",
                "approve:timeout -> late",
                "give:done -> bounded",
                "give:error -> unsent",
                "bounded:for a time -> until",
                "bounded:for good -> given",
                "until -> take",
                "take:done -> over",
                "take:error -> unsent",
                "no:done -> refused",
                "no:error -> unsent",
            ),
            risk="medium",
            runbook=say(
                "If “Have it taken back” failed, take the access back by hand at once, then do the"
                " run again from that step.",
                "Ist „Zugang nehmen lassen“ fehlgeschlagen, nehmen Sie den Zugang sofort von Hand"
                " und wiederholen Sie dann den Lauf ab diesem Schritt.",
            ),
        ),
        (
            Trial(
                say("For good", "Auf Dauer"), {**asked, "days": 0}, "given", {"approve": "approved"}
            ),
            Trial(
                say("For 14 days", "Für 14 Tage"),
                {**asked, "days": 14},
                "over",
                {"approve": "approved"},
            ),
            Trial(
                say("Rejected", "Abgelehnt"),
                {**asked, "days": 3},
                "refused",
                {"approve": "rejected"},
            ),
            Trial(
                say("Nobody answers", "Niemand antwortet"),
                {**asked, "days": 3},
                "late",
                {"approve": "timeout"},
            ),
        ),
    )
