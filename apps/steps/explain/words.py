"""The sentences of an explanation, English and German."""

from collections.abc import Mapping

Pair = tuple[str, str]

SENTENCES: Mapping[str, Pair] = {
    # How a flow starts
    "webhook": (
        "starts when a call comes to the address “{path}”",
        "beginnt, wenn ein Aufruf an der Adresse „{path}“ eingeht",
    ),
    "unsigned": (
        "calls are not signed, so whoever knows the address can start it",
        "Aufrufe sind nicht unterschrieben; wer die Adresse kennt, kann ihn starten",
    ),
    "signed": (
        "calls are signed ({scheme}) with the secret “{secret}”",
        "Aufrufe sind unterschrieben ({scheme}) mit dem Geheimnis „{secret}“",
    ),
    "schedule": ("starts {when}", "beginnt {when}"),
    "event": ("starts for each event “{type}”", "beginnt bei jedem Ereignis „{type}“"),
    "event_where": (
        "starts for each event “{type}” for which {where} holds",
        "beginnt bei jedem Ereignis „{type}“, für das {where} zutrifft",
    ),
    "manual": ("starts by hand", "beginnt von Hand"),
    "manual_form": (
        "starts by hand, with a form for {fields}",
        "beginnt von Hand, mit einem Formular für {fields}",
    ),
    "request_runners": (
        "starts when somebody who may start it fills in a form ({fields})",
        "beginnt, wenn jemand, der ihn starten darf, ein Formular ausfüllt ({fields})",
    ),
    "request_members": (
        "starts when a member fills in a form ({fields})",
        "beginnt, wenn ein Mitglied ein Formular ausfüllt ({fields})",
    ),
    "request_public": (
        "starts when anybody, without signing in, fills in a form ({fields})",
        "beginnt, wenn irgendwer ohne Anmeldung ein Formular ausfüllt ({fields})",
    ),
    "unknown_trigger": (
        "starts in a way that is not known here ({kind})",
        "beginnt auf eine Weise, die hier nicht bekannt ist ({kind})",
    ),
    "no_steps": ("It has no steps yet.", "Er hat noch keine Schritte."),
    "count": ("It has {count} steps.", "Er hat {count} Schritte."),
    "one": ("It has one step.", "Er hat einen Schritt."),
    "approved_by": ("“{title}” is decided by {who}.", "Über „{title}“ entscheidet {who}."),
    "no_approval": ("Nobody is asked to decide.", "Niemand wird um eine Entscheidung gebeten."),
    "leaves": ("Data leaves to {where}.", "Daten gehen an {where}."),
    "nothing_leaves": ("No data leaves.", "Es gehen keine Daten hinaus."),
    "owner": ("Responsible: {owner}.", "Verantwortlich: {owner}."),
    "limit": (
        "At most {max} runs are under way at once.",
        "Höchstens {max} Läufe sind zugleich unterwegs.",
    ),
    "limit_each": (
        "At most {max} runs are under way at once for each {key}.",
        "Höchstens {max} Läufe sind zugleich unterwegs, je {key}.",
    ),
    # What a step does
    "branch": ("by “{port}” if {when}", "über „{port}“, wenn {when}"),
    "otherwise": ("otherwise by “{port}”", "sonst über „{port}“"),
    "decide": (
        "Takes the first way that fits: {ways}.",
        "Nimmt den ersten Weg, der passt: {ways}.",
    ),
    "table": (
        "Looks up {names} in a table of {count} rules by {inputs}.",
        "Schlägt {names} in einer Tabelle mit {count} Regeln nach, anhand von {inputs}.",
    ),
    "map": ("Makes these values: {fields}.", "Bildet diese Werte: {fields}."),
    "map_none": ("Makes no values yet.", "Bildet noch keine Werte."),
    "approval": ("Asks {who}: {title} {rule}", "Fragt {who}: {title} {rule}"),
    "fill_in": (
        "Asks {who} to fill in {fields}: {title}. It goes on when that is sent.",
        "Bittet {who}, {fields} auszufüllen: {title}. Weiter geht es, wenn das abgeschickt ist.",
    ),
    "asker": ("who asked for it", "wer angefragt hat"),
    "form_filled": (
        "With the answer is filled in: {fields}.",
        "Mit der Antwort wird ausgefüllt: {fields}.",
    ),
    "rule_any": ("The first answer decides.", "Die erste Antwort entscheidet."),
    "rule_all": ("All must approve.", "Alle müssen zustimmen."),
    "rule_n": ("{n} must approve.", "{n} müssen zustimmen."),
    "rule_percent": ("{n} per cent must approve.", "{n} Prozent müssen zustimmen."),
    "rule_weight": (
        "Approvals must weigh {n} together.",
        "Die Zustimmungen müssen zusammen {n} wiegen.",
    ),
    "rule_majority": (
        "When all have answered, the majority decides.",
        "Wenn alle geantwortet haben, entscheidet die Mehrheit.",
    ),
    "stage": (
        "Once that is approved, stage {number}{which} asks {who}. {rule}",
        "Ist das genehmigt, fragt Stufe {number}{which} {who}. {rule}",
    ),
    "stage_named": (" ({name})", " ({name})"),
    "due": (
        "Time to answer: {due}{working}; afterwards nobody is asked any more.",
        "Zeit zum Antworten: {due}{working}; danach wird niemand mehr gefragt.",
    ),
    "working": (" of working time", " Arbeitszeit"),
    "react": (
        "Somebody should take it up within {time}{working}.",
        "Jemand soll es innerhalb von {time}{working} aufgreifen.",
    ),
    "undo_for": (
        "Once it is decided, answers can be taken back for {time}; only then does it go on.",
        (
            "Nach der Entscheidung lassen sich Antworten noch {time} lang zurücknehmen; erst dann"
            " geht es weiter."
        ),
    ),
    "warned": (
        "Who has not answered is reminded at {percent} per cent of the time.",
        "Wer nicht geantwortet hat, wird bei {percent} Prozent der Zeit erinnert.",
    ),
    "rung": ("{when}: {what}.", "{when}: {what}."),
    "rung_after": (
        "Without an answer after {time}{working}",
        "Ohne Antwort nach {time}{working}",
    ),
    "rung_of_due": (
        "Without an answer at {percent} per cent of the time",
        "Ohne Antwort bei {percent} Prozent der Zeit",
    ),
    "rung_of_respond": (
        "Where nobody has taken it up at {percent} per cent of the time for that",
        "Hat es bei {percent} Prozent der Zeit dafür niemand aufgegriffen",
    ),
    "rung_reminds": ("those who are asked are reminded", "die Gefragten werden erinnert"),
    "rung_add": ("also asked: {who}", "zusätzlich gefragt: {who}"),
    "rung_reassign": ("asked instead: {who}", "stattdessen gefragt: {who}"),
    "rung_urgent": ("it becomes urgent", "es wird dringend"),
    "rung_ends": ("it ends as “{outcome}”", "es endet als „{outcome}“"),
    "managers": (
        "the managers of those who have not answered",
        "die Vorgesetzten derer, die nicht geantwortet haben",
    ),
    "requester": ("Who asks may decide too.", "Auch wer anfragt, darf entscheiden."),
    "together": (
        "Up to {count} of these can be answered at once, each with {label} below {limit}.",
        "Bis zu {count} sind auf einmal zu beantworten, jede mit {label} unter {limit}.",
    ),
    "follows": (
        "While people decide, the event “{type}” changes {facts}.",
        "Während entschieden wird, ändert das Ereignis „{type}“ {facts}.",
    ),
    "follows_keep": (
        "Answers given before then stand and are marked.",
        "Vorher gegebene Antworten bleiben dann gültig und werden gekennzeichnet.",
    ),
    "follows_ask_again": (
        "Answers given before then lapse, and those people are asked again.",
        "Vorher gegebene Antworten verfallen dann, und diese Personen werden erneut gefragt.",
    ),
    "follows_restart": (
        "Then it all begins anew with the first stage.",
        "Dann beginnt alles noch einmal mit der ersten Stufe.",
    ),
    "requester_not": ("Who asks may not decide.", "Wer anfragt, darf nicht entscheiden."),
    "http": ("Sends a {method} request to {url}.", "Sendet eine {method}-Anfrage an {url}."),
    "mail": ("Sends a mail to {to}: {subject}.", "Sendet eine Mail an {to}: {subject}."),
    "delay_for": ("Waits {time}.", "Wartet {time}."),
    "delay_until": ("Waits until {time}.", "Wartet bis {time}."),
    "emit": (
        "Tells other flows that “{type}” has happened.",
        "Meldet anderen Abläufen, dass „{type}“ geschehen ist.",
    ),
    "wait_event": ("Waits for the event “{type}”.", "Wartet auf das Ereignis „{type}“."),
    "wait_event_of": (
        "Waits for the event “{type}” of {key}.",
        "Wartet auf das Ereignis „{type}“ von {key}.",
    ),
    "wait_first": (
        "Goes on with whatever comes first: {ways}.",
        "Geht mit dem weiter, was zuerst kommt: {ways}.",
    ),
    "way_event": ("the event “{type}” (“{port}”)", "das Ereignis „{type}“ („{port}“)"),
    "way_for": ("{time} have passed (“{port}”)", "{time} sind vergangen („{port}“)"),
    "way_until": ("it is {time} (“{port}”)", "es ist {time} („{port}“)"),
    "respond": (
        "Answers the call with the status {status}.",
        "Beantwortet den Aufruf mit dem Status {status}.",
    ),
    "stop": ("Ends the run as completed.", "Beendet den Lauf als abgeschlossen."),
    "stop_failed": ("Ends the run as failed.", "Beendet den Lauf als fehlgeschlagen."),
    "says": ("It says {message}.", "Die Meldung ist {message}."),
    "join_all": ("Waits until every way has come.", "Wartet, bis alle Wege angekommen sind."),
    "join_any": (
        "Goes on with the first way that comes.",
        "Geht mit dem ersten Weg weiter, der ankommt.",
    ),
    "join_active": (
        "Waits for every way that was taken.",
        "Wartet auf alle Wege, die genommen wurden.",
    ),
    "join_n": ("Waits until {n} ways have come.", "Wartet, bis {n} Wege angekommen sind."),
    "fork": ("Takes every way that fits: {ways}.", "Nimmt jeden Weg, der passt: {ways}."),
    "split": ("Goes on {times} times at once.", "Geht {times} Mal zugleich weiter."),
    "for_each": (
        "Does the steps inside once for every item of {items}, {parallel} at a time.",
        "Führt die Schritte darin für jeden Eintrag von {items} einmal aus, {parallel} zugleich.",
    ),
    "repeat": (
        "Does the steps inside again until {until}, at most {most} times.",
        "Wiederholt die Schritte darin, bis {until}, höchstens {most} Mal.",
    ),
    "block": ("Holds steps together.", "Hält Schritte zusammen."),
    "cancel": ("Withdraws {steps}.", "Zieht {steps} zurück."),
    "subflow": (
        "Runs the flow “{flow}” and waits for its end.",
        "Startet den Ablauf „{flow}“ und wartet auf sein Ende.",
    ),
    "subflow_go": (
        "Runs the flow “{flow}” and goes on at once.",
        "Startet den Ablauf „{flow}“ und geht gleich weiter.",
    ),
    "add_items": ("Adds {items} to “{to}”.", "Fügt {items} zu „{to}“ hinzu."),
    "generic": ("{title}.", "{title}."),
    "unknown": (
        "Is of a type that is not known here ({kind}).",
        "Ist von einer Art, die hier nicht bekannt ist ({kind}).",
    ),
    # What follows
    "then": ("Then “{next}”.", "Danach „{next}“."),
    "then_by": ("By “{port}”: “{next}”.", "Über „{port}“: „{next}“."),
    "ends": ("This way ends here.", "Dieser Weg endet hier."),
    "ends_by": ("By “{port}” this way ends.", "Über „{port}“ endet dieser Weg."),
    "error_to": ("When it fails: “{next}”.", "Wenn es fehlschlägt: „{next}“."),
    "error_stop": ("When it fails, the run fails.", "Wenn es fehlschlägt, schlägt der Lauf fehl."),
    "error_ask": ("When it fails, a person is asked.", "Wenn es fehlschlägt, wird jemand gefragt."),
    "error_default": (
        "When it fails, it goes on with a set result.",
        "Wenn es fehlschlägt, geht es mit einem festgelegten Ergebnis weiter.",
    ),
    "timeout_to": ("When the time is up: “{next}”.", "Wenn die Zeit um ist: „{next}“."),
    "timeout_fails": (
        "When the time is up, the run fails.",
        "Wenn die Zeit um ist, schlägt der Lauf fehl.",
    ),
    "tries": ("It is tried up to {count} times.", "Es wird bis zu {count} Mal versucht."),
    "time_limit": ("It may take {time}.", "Es darf {time} dauern."),
    "undone": (
        "“{undo}” takes it back when what follows fails.",
        "„{undo}“ nimmt es zurück, wenn Späteres fehlschlägt.",
    ),
    # What leaves
    "part_of": ("{rest} of “{title}”", "{rest} von „{title}“"),
    "somewhere": ("an address made while it runs", "eine Adresse, die beim Lauf entsteht"),
    "caller": ("whoever called", "wer aufgerufen hat"),
    "to_flow": ("the flow “{flow}”", "den Ablauf „{flow}“"),
    "to_takers": ("flows that take “{type}”", "Abläufe, die „{type}“ abnehmen"),
    "secret": ("the secret “{name}”", "das Geheimnis „{name}“"),
    "nobody": ("nobody yet", "noch niemanden"),
    "group": ("the group “{name}”", "die Gruppe „{name}“"),
}

#: What the printed page calls its parts.
PARTS: Mapping[str, Pair] = {
    "draft": ("Draft", "Entwurf"),
    "version": ("Version {number}", "Version {number}"),
    "picture": ("Picture", "Bild"),
    "start": ("Start", "Beginn"),
    "summary": ("In short", "Kurz gesagt"),
    "steps": ("Steps", "Schritte"),
    "deciding": ("Who decides", "Wer entscheidet"),
    "leaving": ("Data that leaves", "Daten, die hinausgehen"),
    "nobody_decides": ("Nobody is asked to decide.", "Niemand wird um eine Entscheidung gebeten."),
    "nothing_leaves": ("No data leaves.", "Es gehen keine Daten hinaus."),
    "step": ("Step", "Schritt"),
    "how": ("How", "Wie"),
    "to": ("To", "An"),
    "fields": ("Fields", "Felder"),
    "secrets": ("Secrets", "Geheimnisse"),
    "who": ("Who", "Wer"),
    "rule": ("Rule", "Regel"),
    "fixed": ("fixed text only", "nur fester Text"),
    "hash": ("Content", "Inhalt"),
    "print": ("Print", "Drucken"),
    "back": ("Back to the flow", "Zurück zum Ablauf"),
    "inside": ("inside", "darin"),
}


def part(name: str, language: str, **given: object) -> str:
    """The name of a part."""
    return PARTS[name][0 if language == "en" else 1].format(**given)
