"""What somebody who publishes should look at twice: notes on risk in what changed.

Each rule looks at both documents, of whatever shape, and says nothing where nothing changed.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from apps.engine.graph import TRIGGER, Behaviour
from apps.steps import registry
from apps.steps.comparison import words
from apps.steps.comparison.tell import title_of, type_word
from apps.steps.comparison.words import Language
from apps.steps.findings import at
from apps.steps.texts import one_line
from apps.steps.watching import KEEP

Document = Mapping[str, Any]
Severity = Literal["high", "note"]

SENTENCES: Mapping[str, tuple[Severity, str, str]] = {
    "approval_removed": (
        "high",
        "An approval was removed: “{step}”",
        "Eine Genehmigung wurde entfernt: „{step}“",
    ),
    "approval_bypassed": (
        "high",
        "“{step}” can now be reached without an approval",
        "„{step}“ ist jetzt ohne Genehmigung erreichbar",
    ),
    "approval_weaker": (
        "high",
        "“{step}” needs fewer people to agree",
        "Bei „{step}“ müssen weniger Personen zustimmen",
    ),
    "fewer_stages": (
        "high",
        "“{step}” passes fewer stages",
        "„{step}“ durchläuft weniger Stufen",
    ),
    "own_approval": (
        "high",
        "“{step}” may now be decided by the person who asks",
        "Über „{step}“ darf jetzt entscheiden, wer selbst anfragt",
    ),
    "other_approvers": (
        "note",
        "Other people decide “{step}”",
        "Über „{step}“ entscheiden andere Personen",
    ),
    "change_weaker": (
        "high",
        "At “{step}” answers stand although the facts have changed since",
        "Bei „{step}“ gelten Antworten, obwohl sich die Angaben seither geändert haben",
    ),
    "change_elsewhere": (
        "note",
        "Other events change what people decide “{step}” by",
        "Andere Ereignisse ändern, wonach über „{step}“ entschieden wird",
    ),
    "change_gone": (
        "high",
        "What people decide “{step}” by does not follow any events any more",
        "Wonach über „{step}“ entschieden wird, folgt keinen Ereignissen mehr",
    ),
    "new_host": (
        "high",
        "Data now goes to another address outside: {host} (“{step}”)",
        "Daten gehen jetzt an eine weitere Adresse außerhalb: {host} („{step}“)",
    ),
    "unknown_host": (
        "high",
        "“{step}” works out at run time where it sends data",
        "„{step}“ ermittelt erst im Lauf, wohin es Daten sendet",
    ),
    "new_field_leaves": (
        "high",
        "A new field leaves to {host}: {field} (“{step}”)",
        "Ein weiteres Feld verlässt das Haus an {host}: {field} („{step}“)",
    ),
    "new_recipient": (
        "high",
        "“{step}” writes to somebody new: {host}",
        "„{step}“ schreibt an neue Empfänger: {host}",
    ),
    "secret_used": (
        "note",
        "“{step}” now uses the secret “{field}”",
        "„{step}“ verwendet jetzt das Geheimnis „{field}“",
    ),
    "signature_weaker": (
        "high",
        "Callers no longer have to prove who they are",
        "Aufrufer müssen nicht mehr nachweisen, wer sie sind",
    ),
    "field_shown": (
        "high",
        "A field is no longer kept hidden: {field}",
        "Ein Feld wird nicht mehr verborgen: {field}",
    ),
    "repeats_counted": (
        "high",
        "The same call twice now starts two runs",
        "Derselbe Aufruf startet jetzt zweimal einen Lauf",
    ),
    "address_changed": (
        "note",
        "The flow has another address; the old one stops working: {field}",
        "Der Ablauf hat eine andere Adresse; die alte gilt nicht mehr: {field}",
    ),
    "trigger_changed": (
        "note",
        "The flow starts otherwise: {field}",
        "Der Ablauf beginnt anders: {field}",
    ),
    "failure_unhandled": (
        "high",
        "If “{step}” fails, nothing follows any more",
        "Scheitert „{step}“, folgt darauf nichts mehr",
    ),
    "undo_removed": (
        "high",
        "Nothing takes back “{step}” any more",
        "Nichts nimmt „{step}“ mehr zurück",
    ),
    "effect_added": (
        "note",
        "A new step touches the outside, and nothing takes it back: “{step}”",
        "Ein neuer Schritt wirkt nach außen, und nichts nimmt ihn zurück: „{step}“",
    ),
    "sent_twice": (
        "high",
        "“{step}” may now send the same thing twice",
        "„{step}“ kann dasselbe jetzt zweimal senden",
    ),
    "limit_removed": (
        "note",
        "The limit of how many run at once was taken away",
        "Es ist nicht mehr begrenzt, wie viele zugleich laufen",
    ),
    "time_limit_removed": (
        "note",
        "“{step}” may now take as long as it likes",
        "„{step}“ darf jetzt beliebig lange dauern",
    ),
    "default_removed": (
        "note",
        "“{step}” no longer says what happens if no rule matches",
        "„{step}“ sagt nicht mehr, was ohne passende Regel geschieht",
    ),
}

_READ = re.compile(r"\b(?:trigger\.(?:body|headers|query|event)|steps\.[a-z]\w*\.output)(?:\.\w+)+")
_SENT = {
    "http.request": ("url", "query", "headers", "body"),
    "mail.send": ("to", "subject", "text"),
    "emit": ("subject", "data"),
}


@dataclass(frozen=True)
class Risk:
    """One note. ``step`` is the step to look at, where it is one."""

    code: str
    step: str | None
    sentence: str

    @property
    def severity(self) -> Severity:
        """``high``, or a ``note``."""
        return SENTENCES[self.code][0]


@dataclass(frozen=True)
class _Pair:
    """Both documents, and what both need to be known of."""

    before: Document
    after: Document
    language: Language

    def step(self, which: Literal["before", "after"], id_: str) -> Mapping[str, Any] | None:
        found = at(getattr(self, which), "steps", id_)
        return found if isinstance(found, Mapping) else None

    def both(self) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
        for id_ in _steps(self.after):
            old, new = self.step("before", id_), self.step("after", id_)
            if old is not None and new is not None:
                yield id_, old, new

    def risk(self, code: str, step: str | None = None, **told: str) -> Risk:
        _, english, german = SENTENCES[code]
        name = title_of(step, self.before, self.after, self.language) if step else ""
        text = (english if self.language == "en" else german).format(step=name, **told)
        return Risk(code, step, text)


def risks(before: Document, after: Document, language: Language) -> list[Risk]:
    """The notes on what changed from one document to the other, grave ones first.

    Of a first version everything is new: only what is risky about any flow is said.
    """
    pair = _Pair(before, after, language)
    found = [risk for rule in _RULES for risk in rule(pair)]
    return sorted(dict.fromkeys(found), key=lambda one: one.severity != "high")


def _approvals(pair: _Pair) -> Iterator[Risk]:
    for id_, step in _steps(pair.before).items():
        if at(step, "type") == "approval" and at(pair.after, "steps", id_, "type") != "approval":
            yield pair.risk("approval_removed", id_)
    open_before, open_now = _unapproved(pair.before), _unapproved(pair.after)
    for id_ in _outward(pair.after) & _outward(pair.before):
        if id_ in open_now and id_ not in open_before:
            yield pair.risk("approval_bypassed", id_)
    for id_, old, new in pair.both():
        if at(old, "type") != "approval" or at(new, "type") != "approval":
            continue
        stages_before, stages_now = _stages(old), _stages(new)
        if len(stages_now) < len(stages_before):
            yield pair.risk("fewer_stages", id_)
        if any(
            _needed(at(now, "rule")) < _needed(at(was, "rule"))
            for was, now in zip(stages_before, stages_now, strict=False)
        ):
            yield pair.risk("approval_weaker", id_)
        allowed = ("config", "allow_requester")
        if at(new, *allowed) is True and at(old, *allowed) is not True:
            yield pair.risk("own_approval", id_)
        if any(
            at(now, "assignees") != at(was, "assignees")
            for was, now in zip(stages_before, stages_now, strict=False)
        ):
            yield pair.risk("other_approvers", id_)


def _watches(pair: _Pair) -> Iterator[Risk]:
    """What changes while people decide, and what then becomes of their answers."""
    for id_, old, new in pair.both():
        if at(old, "type") != "approval" or at(new, "type") != "approval":
            continue
        was, now = at(old, "config", "watch"), at(new, "config", "watch")
        if at({"it": now}, "it", "on_change") == KEEP != at({"it": was}, "it", "on_change"):
            yield pair.risk("change_weaker", id_)
        if isinstance(now, Mapping) and _meant(now) != _meant(was):
            yield pair.risk("change_elsewhere", id_)
        if isinstance(was, Mapping) and not isinstance(now, Mapping):
            yield pair.risk("change_gone", id_)


def _meant(watch: Any) -> Any:
    """Everything about a watch but what becomes of the answers."""
    if not isinstance(watch, Mapping):
        return watch
    return {name: value for name, value in watch.items() if name != "on_change"}


def _stages(step: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What each stage of an approval asks, the first one in front."""
    config = at(step, "config")
    later = at(step, "config", "stages")
    stages = [config, *(later if isinstance(later, list) else [])]
    return [one for one in stages if isinstance(one, Mapping)]


def _needed(rule: Any) -> float:
    if isinstance(rule, Mapping):
        if rule.get("all"):
            return float("inf")
        count = rule.get("n")
        return float(count) if isinstance(count, int) and not isinstance(count, bool) else 1
    return 1


def _unapproved(document: Document) -> set[str]:
    """Steps that a run can come to without anybody having approved.

    A container is entered by its own way, and left for what follows it; one step is reached from
    another by any of its links.
    """
    steps = _steps(document)
    seen: set[str] = set()
    waiting = [TRIGGER]
    inside: dict[str, list[str]] = {}
    for id_, step in steps.items():
        inside.setdefault(str(at(step, "in")), []).append(id_)
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        if at(steps.get(here, {}), "type") == "approval":
            ways = [link for link in _links(document) if link.get("port") != "approved"]
        else:
            ways = _links(document)
            waiting += inside.get(here, [])
        waiting += [link["to"] for link in ways if link["from"] == here and link["to"] in steps]
    return seen


def _data_that_leaves(pair: _Pair) -> Iterator[Risk]:
    known = {host for id_ in _steps(pair.before) for host in _goals(pair.before, id_)}
    for id_, step in _steps(pair.after).items():
        if at(step, "type") not in _SENT:
            continue
        goals = _goals(pair.after, id_)
        mails = at(step, "type") == "mail.send"
        for host in goals - known:
            yield pair.risk("new_recipient" if mails else "new_host", id_, host=host)
        old = _goals(pair.before, id_)
        if (
            at(step, "type") == "http.request"
            and not goals
            and (old or id_ not in _steps(pair.before))
        ):
            yield pair.risk("unknown_host", id_)
        if not _steps(pair.before):
            continue
        where = ", ".join(sorted(goals)) or words.pick(("the outside", "außerhalb"), pair.language)
        for field in sorted(_leaving(step) - _leaving(pair.step("before", id_) or {})):
            yield pair.risk("new_field_leaves", id_, host=where, field=one_line(field))
        for name in sorted(_secrets(step) - _secrets(pair.step("before", id_) or {})):
            yield pair.risk("secret_used", id_, field=one_line(name))


def _goals(document: Document, id_: str) -> set[str]:
    """The hosts or addresses that a step writes out; none where they are worked out in a run."""
    step = at(document, "steps", id_)
    kind, config = at(step or {}, "type"), at(step or {}, "config")
    if not isinstance(config, Mapping):
        return set()
    if kind == "http.request":
        url = config.get("url")
        if isinstance(url, str) and url.startswith("=") and not url.startswith("=="):
            first = re.match(r'=\s*"(https?://[^/"?#]+)[/?#]', url)
            url = first[1] if first else ""
        return {one_line(host)} if isinstance(url, str) and (host := _host(url)) else set()
    if kind == "mail.send":
        given = config.get("to")
        listed = given if isinstance(given, list) else [given]
        return {one_line(one) for one in listed if isinstance(one, str) and "@" in one}
    return set()


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def _leaving(step: Mapping[str, Any]) -> set[str]:
    fields = _SENT.get(str(at(step, "type")), ())
    texts = [text for name in fields for text in _texts(at(step, "config", name))]
    return {found for text in texts if text.startswith("=") for found in _READ.findall(text)}


def _secrets(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        name = value.get("secret")
        own = {name} if isinstance(name, str) and set(value) <= {"secret", "prefix"} else set()
        return own.union(*map(_secrets, value.values()))
    return set[str]().union(*map(_secrets, value)) if isinstance(value, list) else set()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _trigger(pair: _Pair) -> Iterator[Risk]:
    old, new = at(pair.before, TRIGGER, "type"), at(pair.after, TRIGGER, "type")
    if old is None or not _steps(pair.before):
        return
    if old != new:
        words_ = " → ".join(type_word(one, pair.language) for one in (old, new))
        yield pair.risk("trigger_changed", TRIGGER, field=words_)
        return
    config = ("trigger", "config")
    before, after = at(pair.before, *config), at(pair.after, *config)
    before, after = (one if isinstance(one, Mapping) else {} for one in (before, after))
    if old == "webhook" and before.get("path") != after.get("path"):
        yield pair.risk("address_changed", TRIGGER, field=one_line(str(before.get("path"))))
    schemes = [at(one, "signature", "scheme") or "none" for one in (before, after)]
    if schemes[0] != "none" and schemes[1] == "none":
        yield pair.risk("signature_weaker", TRIGGER)
    if before.get("dedupe") and not after.get("dedupe"):
        yield pair.risk("repeats_counted", TRIGGER)
    masked = [
        one if isinstance(one, list) else [] for one in (before.get("masked"), after.get("masked"))
    ]
    for field in masked[0]:
        if field not in masked[1]:
            yield pair.risk("field_shown", TRIGGER, field=one_line(str(field)))


def _failures(pair: _Pair) -> Iterator[Risk]:
    for id_, old, new in pair.both():
        if _handles(pair.before, id_, old) and not _handles(pair.after, id_, new):
            yield pair.risk("failure_unhandled", id_)
        if old.get("undo") and not new.get("undo"):
            yield pair.risk("undo_removed", id_)
        if old.get("time_limit") and not new.get("time_limit"):
            yield pair.risk("time_limit_removed", id_)
        repeat = ("config", "on_unknown")
        if at(new, *repeat) == "repeat" and at(old, *repeat) == "fail":
            yield pair.risk("sent_twice", id_)
        kept = [at(one, "config", "default") for one in (old, new)]
        if at(new, "type") == "table" and kept[0] is not None and kept[1] is None:
            yield pair.risk("default_removed", id_)


def _handles(document: Document, id_: str, step: Mapping[str, Any]) -> bool:
    """Whether something follows when the step fails."""
    links = any(link["from"] == id_ and link.get("port") == "error" for link in _links(document))
    return links or at(step, "on_error", "then") in {"ask", "default", "path"}


def _effects(pair: _Pair) -> Iterator[Risk]:
    for id_ in sorted(_outward(pair.after) - set(_steps(pair.before))):
        undone = {at(step, "undo") for step in _steps(pair.after).values()}
        if not at(pair.after, "steps", id_, "undo") and id_ not in undone:
            yield pair.risk("effect_added", id_)


def _limits(pair: _Pair) -> Iterator[Risk]:
    limit = ("settings", "concurrency", "max")
    if at(pair.before, *limit) and not at(pair.after, *limit):
        yield pair.risk("limit_removed")


def _steps(document: Document) -> dict[str, Mapping[str, Any]]:
    steps = document.get("steps")
    if not isinstance(steps, Mapping):
        return {}
    return {id_: one for id_, one in steps.items() if isinstance(one, Mapping)}


def _links(document: Document) -> list[Mapping[str, Any]]:
    links = document.get("links")
    return [
        one
        for one in (links if isinstance(links, list) else [])
        if isinstance(one, Mapping)
        and isinstance(one.get("from"), str)
        and isinstance(one.get("to"), str)
    ]


def _outward(document: Document) -> set[str]:
    """Steps that touch the outside."""
    kinds = {one.kind for one in registry.catalogue() if one.behaviour is Behaviour.EFFECT}
    return {id_ for id_, step in _steps(document).items() if at(step, "type") in kinds}


_RULES: tuple[Callable[[_Pair], Iterator[Risk]], ...] = (
    _approvals,
    _watches,
    _data_that_leaves,
    _trigger,
    _failures,
    _effects,
    _limits,
)
