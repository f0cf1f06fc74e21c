"""The words of a comparison, English and German; made by rules, the same for the same documents."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from apps.steps.texts import one_line

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = ("en", "de")
LONGEST = 80

SENTENCES: Mapping[str, tuple[str, str]] = {
    "added": ("“{what}” was added", "„{what}“ kam hinzu"),
    "removed": ("“{what}” was removed", "„{what}“ wurde entfernt"),
    "replaced": (
        "“{what}” is another kind of step now: {after} in place of {before}",
        "„{what}“ ist jetzt ein anderer Schritt: {after} statt {before}",
    ),
    "renamed": ("“{before}” is now called “{after}”", "„{before}“ heißt jetzt „{after}“"),
    "flow_renamed": ("The flow is now called “{after}”", "Der Ablauf heißt jetzt „{after}“"),
    "set": ("{what}: {field} set to {after}", "{what}: {field} festgelegt auf {after}"),
    "cleared": ("{what}: {field} taken out ({before})", "{what}: {field} entfernt ({before})"),
    "changed": (
        "{what}: {field} changed from {before} to {after}",
        "{what}: {field} geändert von {before} auf {after}",
    ),
    "touched": ("{what}: {field} changed", "{what}: {field} geändert"),
    "items": ("{what}: {field}: {items}", "{what}: {field}: {items}"),
    "on": ("{what}: {field} switched on", "{what}: {field} eingeschaltet"),
    "off": ("{what}: {field} switched off", "{what}: {field} ausgeschaltet"),
    "connected": ("Connected: {before} → {after}", "Verbunden: {before} → {after}"),
    "disconnected": ("No longer connected: {before} → {after}", "Getrennt: {before} → {after}"),
    "link": ("Changed: {before} → {after}", "Geändert: {before} → {after}"),
    "order": (
        "{before}: what follows starts in another order: {items}",
        "{before}: Was folgt, beginnt in anderer Reihenfolge: {items}",
    ),
    "into": ("“{what}” was moved into “{after}”", "„{what}“ steht jetzt innerhalb von „{after}“"),
    "out": ("“{what}” was taken out of “{before}”", "„{what}“ steht nicht mehr in „{before}“"),
    "item_added": ("added {one}", "{one} hinzugefügt"),
    "item_removed": ("removed {one}", "{one} entfernt"),
    "item_changed": ("changed {one}", "{one} geändert"),
    "item_order": ("another order", "andere Reihenfolge"),
    "more": ("{count} more", "{count} weitere"),
    "trigger_replaced": (
        "The flow starts otherwise: {after} in place of {before}",
        "Der Ablauf beginnt anders: {after} statt {before}",
    ),
    "starts": ("The flow starts: {after}", "Der Ablauf beginnt: {after}"),
    "by": ("{step} ({port})", "{step} ({port})"),
}

#: Field titles as the forms show them, as nouns for a sentence; any other stands as it is.
FIELDS: Mapping[str, tuple[str, str]] = {
    "For each": ("key", "Schlüssel"),
    "List": ("list", "Liste"),
    "What is asked": ("what is asked", "Frage"),
    "Details": ("details", "Einzelheiten"),
    "Who decides": ("who decides", "wer entscheidet"),
    "Form to fill in": ("form to fill in", "auszufüllendes Formular"),
    "Filled in beforehand": ("filled in beforehand", "vorab ausgefüllt"),
    "Answers that need the form": (
        "answers that need the form",
        "Antworten, die das Formular brauchen",
    ),
    "Who fills it in": ("who fills it in", "wer es ausfüllt"),
    "Facts to read beside it": ("facts to read beside it", "Angaben daneben"),
    "Rule": ("rule", "Regel"),
    "Due after": ("due", "Frist"),
    "Due in working time": ("due in working time", "Frist in Arbeitszeit"),
    "First reaction within": ("time for a first reaction", "Zeit für die erste Reaktion"),
    "First reaction in working time": (
        "first reaction in working time",
        "erste Reaktion in Arbeitszeit",
    ),
    "Remind at per cent of each limit": (
        "reminders at per cent of each limit",
        "Erinnerungen bei Prozent jeder Frist",
    ),
    "Answered together": ("answering several at once", "Beantworten mehrerer auf einmal"),
    "How many at most": ("how many at most", "höchstens wie viele"),
    "Fact that says how much": ("fact that says how much", "Angabe, die sagt, wie viel"),
    "Each below": ("each below", "jede unter"),
    "Facts that may change meanwhile": (
        "facts that may change meanwhile",
        "Angaben, die sich inzwischen ändern können",
    ),
    "Facts that it changes": ("facts that it changes", "Angaben, die es ändert"),
    "Answers given before": ("answers given before", "vorher gegebene Antworten"),
    "Also where the risk is high": (
        "also where the risk is high",
        "auch bei hohem Risiko",
    ),
    "What happens while nobody answers": (
        "what happens while nobody answers",
        "was geschieht, solange niemand antwortet",
    ),
    "Stages after this one": ("later stages", "weitere Stufen"),
    "Facts to decide by": ("facts to decide by", "Angaben zur Entscheidung"),
    "Who asks": ("who asks", "wer anfragt"),
    "Who asks may decide": ("who asks may decide", "wer anfragt, darf entscheiden"),
    "Result": ("result", "Ergebnis"),
    "Steps": ("steps", "Schritte"),
    "Go on with what is there": ("going on with what is there", "Weitergehen mit dem, was da ist"),
    "Branches": ("branches", "Zweige"),
    "Otherwise": ("otherwise", "sonst"),
    "For": ("how long", "Dauer"),
    "Until": ("until when", "bis wann"),
    "In working time": ("in working time", "in Arbeitszeit"),
    "Type of event": ("type of event", "Art des Ereignisses"),
    "Version of its form": ("version of its form", "Fassung seiner Form"),
    "What it is about": ("what it is about", "worum es geht"),
    "Data": ("data", "Daten"),
    "Waits for takers": ("how long it waits for takers", "wie lange es auf Abnehmer wartet"),
    "At the same time": ("how many at the same time", "wie viele zugleich"),
    "Result of an item": ("result of an item", "Ergebnis je Eintrag"),
    "Stop after so many failures": ("failures until it stops", "Fehler bis zum Halt"),
    "Rounds": ("rounds", "Runden"),
    "Go on when": ("when it goes on", "wann es weitergeht"),
    "What becomes of the rest": ("what becomes of the rest", "was aus dem Rest wird"),
    "Method": ("method", "Methode"),
    "Address": ("address", "Adresse"),
    "Headers": ("headers", "Kopfzeilen"),
    "Query": ("query", "Abfrage"),
    "Body": ("body", "Inhalt"),
    "Seconds to wait for an answer": ("seconds to wait", "Sekunden bis zur Antwort"),
    "Try again": ("tries", "Versuche"),
    "If no answer tells whether it arrived": (
        "what follows without an answer",
        "was ohne Antwort folgt",
    ),
    "To": ("recipients", "Empfänger"),
    "Subject": ("subject", "Betreff"),
    "Text": ("text", "Text"),
    "Fields": ("fields", "Felder"),
    "Most rounds": ("most rounds", "höchstens so viele Runden"),
    "Status": ("status", "Status"),
    "Answer": ("answer", "Antwort"),
    "How often": ("how often", "wie oft"),
    "The run is then": ("how the run ends", "wie der Lauf endet"),
    "Message": ("message", "Meldung"),
    "What it gives": ("what it gives", "was es ergibt"),
    "Flow": ("flow", "Ablauf"),
    "Version": ("version", "Version"),
    "Input": ("input", "Eingabe"),
    "Wait until it has ended": ("waiting for its end", "Warten auf sein Ende"),
    "Inputs": ("inputs", "Eingaben"),
    "Results": ("results", "Ergebnisse"),
    "If several rules match": ("if several rules match", "wenn mehrere Regeln zutreffen"),
    "Make of them": ("what is made of them", "was daraus wird"),
    "Rules": ("rules", "Regeln"),
    "If no rule matches": ("if no rule matches", "wenn keine Regel zutrifft"),
    "Which one": ("which one", "welches"),
    "Where the event says it": ("where the event says it", "wo das Ereignis es sagt"),
    "Only where": ("only where", "nur wenn"),
    "Ways": ("ways", "Wege"),
    "Same event if equal": ("what makes it the same event", "was dasselbe Ereignis ausmacht"),
    "Form": ("form", "Formular"),
    "Times": ("times", "Zeiten"),
    "Time zone": ("time zone", "Zeitzone"),
    "Times that were missed": ("times that were missed", "verpasste Zeiten"),
    "While the run before is under way": (
        "while the run before is under way",
        "solange der vorige Lauf läuft",
    ),
    "Signature": ("signature", "Unterschrift"),
    "None": ("signature", "Unterschrift"),
    "Same call if equal": ("what makes it the same call", "was denselben Aufruf ausmacht"),
    "Fields never stored in the clear": ("fields kept hidden", "verborgene Felder"),
    "Scheme": ("proof", "Nachweis"),
    "Secret": ("secret", "Geheimnis"),
    "People": ("people", "Personen"),
    "Groups": ("groups", "Gruppen"),
    "Tries": ("number of tries", "Zahl der Versuche"),
    "Seconds before the second try": ("seconds before the second try", "Sekunden bis zum zweiten"),
    "At most so many seconds": ("longest pause in seconds", "längste Pause in Sekunden"),
}

#: What stands beside a config, in a document's settings, and whole parts of a document.
NAMES: Mapping[str, tuple[str, str]] = {
    "title": ("name", "Name"),
    "config": ("settings", "Einstellungen"),
    "version": ("version of the step", "Version des Schritts"),
    "undo": ("step that takes it back", "Schritt, der es zurücknimmt"),
    "lock": ("lock", "Sperre"),
    "time_limit": ("time limit", "Zeitgrenze"),
    "on_error": ("what follows a failure", "was auf einen Fehler folgt"),
    "retry": ("tries", "Versuche"),
    "concurrency": ("how many at once", "wie viele zugleich"),
    "owner": ("owner", "verantwortlich"),
    "risk": ("risk class", "Risikoklasse"),
    "priority": ("priority", "Vorrang"),
    "zone": ("time zone", "Zeitzone"),
    "runbook": ("runbook", "Anleitung für Störungen"),
    "max_steps": ("most steps of a run", "höchstens so viele Schritte je Lauf"),
    "input": ("what it takes", "was er nimmt"),
    "output": ("what it gives", "was er ergibt"),
    "links": ("links", "Verbindungen"),
    "steps": ("steps", "Schritte"),
    "settings": ("settings", "Einstellungen"),
    "trigger": ("start", "Auslöser"),
    "notes": ("notes", "Notizen"),
    "format": ("format", "Format"),
    "name": ("name", "Name"),
    "signature": ("signature", "Unterschrift"),
}

#: Types of steps and triggers; one that is not here is called by its title in the catalogue.
KINDS: Mapping[str, str] = {
    "webhook": "Webhook",
    "schedule": "Zeitplan",
    "manual": "Von Hand",
    "event": "Ereignis",
    "form": "Antrag",
    "approval": "Genehmigung",
    "fill_in": "Angaben einholen",
    "mail.send": "E-Mail",
    "http.request": "Webaufruf",
    "decide": "Entscheidung",
    "map": "Zuordnung",
    "delay": "Warten",
    "table": "Entscheidungstabelle",
    "stop": "Ende",
    "join": "Zusammenführung",
    "fork": "Verzweigung",
    "for_each": "Für jeden Eintrag",
    "repeat": "Wiederholung",
    "subflow": "Anderer Ablauf",
    "emit": "Ereignis melden",
    "respond": "Antwort",
}

_FLOW = ("The flow", "Der Ablauf")
_TRIGGER = ("The start", "Der Auslöser")
_SECRET = ("the secret “{name}”", "das Geheimnis „{name}“")
_COUNT = ("{count} entries", "{count} Einträge")
_RULES: Mapping[str, tuple[str, str]] = {
    "any": ("the first answer decides", "die erste Antwort entscheidet"),
    "all": ("all must approve", "alle müssen zustimmen"),
    "n": ("{} must approve", "{} müssen zustimmen"),
    "max": ("at most {}", "höchstens {}"),
}
_UNITS = {
    "Y": (("year", "years"), ("Jahr", "Jahre", "Jahren")),
    "M": (("month", "months"), ("Monat", "Monate", "Monaten")),
    "W": (("week", "weeks"), ("Woche", "Wochen", "Wochen")),
    "D": (("day", "days"), ("Tag", "Tage", "Tagen")),
    "H": (("hour", "hours"), ("Stunde", "Stunden", "Stunden")),
    "N": (("minute", "minutes"), ("Minute", "Minuten", "Minuten")),
    "S": (("second", "seconds"), ("Sekunde", "Sekunden", "Sekunden")),
}
_DURATION = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?"
)


def pick(pair: tuple[str, str], language: Language) -> str:
    """The one of the two that is in the language."""
    return pair[LANGUAGES.index(language)]


def sentence(key: str, language: Language, **told: object) -> str:
    """One of ``SENTENCES`` with its gaps filled."""
    return pick(SENTENCES[key], language).format(**told)


def flow_word(language: Language) -> str:
    """The flow itself, as the subject of a sentence."""
    return pick(_FLOW, language)


def trigger_word(language: Language) -> str:
    """The trigger, as the subject of a sentence."""
    return pick(_TRIGGER, language)


def duration(text: str, language: Language, *, dative: bool = False) -> str | None:
    """An ISO 8601 duration in words, ``2 days 4 hours``; None for any other text."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    words = []
    for unit, count in zip("YMWDHNS", found.groups(), strict=True):
        if count is None:
            continue
        english, german = _UNITS[unit]
        if language == "en":
            name = english[int(count) != 1]
        else:
            name = german[0] if int(count) == 1 else german[2 if dative else 1]
        words.append(f"{int(count)} {name}")
    return " ".join(words)


def quoted(text: str, language: Language) -> str:
    """A text that came from outside, in the quotes of the language."""
    shown = one_line(text.strip(), LONGEST)
    return f"“{shown}”" if language == "en" else f"„{shown}“"


def value(
    given: Any, language: Language, labels: Mapping[str, str], *, dative: bool = False
) -> str:
    """A value as a sentence says it; long ones are cut, a secret is only named."""
    if isinstance(given, str):
        if given in labels:
            return quoted(labels[given], language)
        words = duration(given, language, dative=dative)
        if words is not None:
            return words
        return quoted(given, language)
    if given is None:
        return pick(("nothing", "nichts"), language)
    if isinstance(given, bool):
        return pick(("yes", "ja"), language) if given else pick(("no", "nein"), language)
    if isinstance(given, Mapping):
        return _named(given, language)
    if isinstance(given, list):
        plain = [one for one in given if isinstance(one, str)]
        if plain and len(plain) == len(given) and len(", ".join(plain)) <= LONGEST:
            return one_line(", ".join(plain), LONGEST)
        return pick(_COUNT, language).format(count=len(given))
    return one_line(str(given), LONGEST)


def _named(given: Mapping[str, Any], language: Language) -> str:
    if isinstance(given.get("secret"), str):
        return pick(_SECRET, language).format(name=one_line(given["secret"]))
    if len(given) == 1 and (name := next(iter(given))) in _RULES:
        return pick(_RULES[name], language).format(one_line(str(given[name])))
    inner = ", ".join(f"{name}: {value(one, language, {})}" for name, one in given.items())
    return one_line(inner or pick(("nothing", "nichts"), language), LONGEST)
