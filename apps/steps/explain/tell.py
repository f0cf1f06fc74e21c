"""What a flow does, step by step, in sentences made by rules: the same for the same hash.

The document may be a draft with anything missing; what cannot be told is left out or said to be
unknown. Names of a document are put in quotes and never taken for words of ours.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from apps.engine import feel, values
from apps.engine.graph import TRIGGER, Behaviour
from apps.steps.comparison.tell import type_word
from apps.steps.comparison.words import Language
from apps.steps.document import expression_source
from apps.steps.explain.limits import limits
from apps.steps.explain.times import duration, listed, schedule
from apps.steps.explain.words import SENTENCES
from apps.steps.findings import at, is_template
from apps.steps.fit import world_of
from apps.steps.format import document_hash
from apps.steps.reads import KnownStep
from apps.steps.texts import one_line
from apps.steps.watching import ASK_AGAIN, POLICIES

Document = Mapping[str, Any]
Config = Mapping[str, Any]
LONGEST = 160
_QUOTED = re.compile(r'("(?:[^"\\]|\\.)*")')
_PATH = re.compile(
    r"(?<![\w.])(?:trigger\.body|steps\.(?P<step>[a-z][a-z0-9_]*)\.output)(?P<rest>(?:\.[^\W\d]\w*)*)"
)
MOST_LISTED = 12


@dataclass(frozen=True)
class Told:
    """One step: what it does, and what follows."""

    id: str
    number: int
    title: str
    kind: str
    #: How many containers it stands in.
    depth: int
    does: str
    then: list[str]


@dataclass(frozen=True)
class Leaving:
    """Data that goes out by a step: to whom, and which fields of the run."""

    step: str
    title: str
    how: str
    to: str
    fields: list[str]
    secrets: list[str]


@dataclass(frozen=True)
class Deciding:
    """Who decides at a step, and how."""

    step: str
    title: str
    who: str
    how: list[str]


@dataclass(frozen=True)
class Explanation:
    """A flow in plain words."""

    hash: str
    language: str
    name: str
    summary: list[str]
    steps: list[Told]
    deciding: list[Deciding]
    leaving: list[Leaving]

    def as_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return asdict(self)


def explain(document: Document, language: Language) -> Explanation:
    """The flow of a document of any shape in words."""
    teller = _Teller(document, language)
    told = [teller.step(step, number) for number, step in enumerate(teller.order, start=1)]
    deciding = [one for one in map(teller.deciding, teller.order) if one is not None]
    leaving = [one for one in map(teller.leaving, teller.order) if one is not None]
    try:
        digest = document_hash(document)
    except values.NotJson:
        digest = ""
    name = document.get("name")
    return Explanation(
        digest,
        language,
        one_line(name) if isinstance(name, str) else "",
        teller.summary(deciding, leaving),
        told,
        deciding,
        leaving,
    )


@dataclass
class _Teller:
    document: Document
    language: Language
    steps: Mapping[str, KnownStep] = field(init=False)
    following: dict[str, list[tuple[str, str]]] = field(init=False)
    order: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.steps = world_of(self.document).steps
        self.following = _following(self.document, self.steps)
        self.order = reading_order(self.document, self.steps, self.following)

    def say(self, key: str, /, **given: object) -> str:
        """A sentence; what is put in stands as it is."""
        template = SENTENCES[key][0 if self.language == "en" else 1]
        return template.format_map({name: str(one) for name, one in given.items()})

    def title(self, step: str) -> str:
        """What a step is called: its title, else what it is."""
        known = self.steps.get(step)
        named = at(self.document, "steps", step, "title")
        if isinstance(named, str) and named.strip():
            return one_line(named)
        kind = known.type.kind if known and known.type else None
        return type_word(kind, self.language) if kind else one_line(step)

    def list_(self, names: Sequence[str], word: str = "") -> str:
        """``a, b and c``, of which not too many are named."""
        shown = list(names[:MOST_LISTED])
        if len(names) > MOST_LISTED:
            shown.append(f"{len(names) - MOST_LISTED} …")
        return listed(shown, self.language, word)

    # The whole

    def summary(self, deciding: list[Deciding], leaving: list[Leaving]) -> list[str]:
        """A handful of sentences on the flow."""
        name = self.document.get("name")
        head = f"“{one_line(name)}” " if isinstance(name, str) and name.strip() else ""
        if self.language == "de":
            head = head.replace("“", "„").replace("” ", "“ ")
        first = f"{head}{self._starts()}."
        said = [first[0].upper() + first[1:]]
        count = len(self.order)
        said.append(
            self.say("no_steps" if not count else "one" if count == 1 else "count", count=count)
        )
        said += [self.say("approved_by", who=one.who, title=one.title) for one in deciding]
        if not deciding and count:
            said.append(self.say("no_approval"))
        places = list(dict.fromkeys(one.to for one in leaving))
        if places:
            said.append(self.say("leaves", where=self.list_(places)))
        elif count:
            said.append(self.say("nothing_leaves"))
        owner, limit = (at(self.document, "settings", one) for one in ("owner", "concurrency"))
        if isinstance(owner, str) and owner:
            said.append(self.say("owner", owner=one_line(owner)))
        most, key = at({"it": limit}, "it", "max"), at({"it": limit}, "it", "key")
        if isinstance(most, int):
            said.append(self.say("limit_each" if key else "limit", max=most, key=self.value(key)))
        return said

    def _starts(self) -> str:
        kind = at(self.document, "trigger", "type")
        config = at(self.document, "trigger", "config")
        config = config if isinstance(config, Mapping) else {}
        match kind:
            case "webhook":
                said = self.say("webhook", path=f"/{_text(config.get('path'))}")
                scheme = at(config, "signature", "scheme")
                if scheme in {None, "none"}:
                    return f"{said}; {self.say('unsigned')}"
                secret = _text(at(config, "signature", "secret"))
                return f"{said}; {self.say('signed', scheme=_text(scheme), secret=secret)}"
            case "schedule":
                zone = _text(config.get("zone")) or "UTC"
                return self.say(
                    "schedule", when=schedule(_text(config.get("cron")), zone, self.language)
                )
            case "event":
                where = config.get("filter")
                key = "event_where" if where else "event"
                return self.say(
                    key, type=_text(config.get("type")), where=self.value(where, bare=True)
                )
            case "form":
                whom = _text(config.get("open_to")) or "members"
                return self.say(f"request_{whom}", fields=self.list_(_asked(config)))
            case "manual":
                names = _asked(config)
                return self.say("manual_form" if names else "manual", fields=self.list_(names))
        return self.say("unknown_trigger", kind=one_line(str(kind)))

    # A step

    def step(self, step: str, number: int) -> Told:
        """What a step does and what follows it."""
        known = self.steps[step]
        kind = known.type.kind if known.type else str(at(self.document, "steps", step, "type"))
        rule = _RULES.get(kind)
        if known.type is None:
            does = self.say("unknown", kind=one_line(kind))
        elif rule is None:
            does = self.say("generic", title=known.type.title)
        else:
            does = rule(self, known.config)
        return Told(
            step,
            number,
            self.title(step),
            type_word(kind, self.language),
            self.depth(step),
            does,
            list(self._follows(step, known)),
        )

    def depth(self, step: str) -> int:
        """How many containers are around a step."""
        count, seen = 0, {step}
        around = at(self.document, "steps", step, "in")
        while isinstance(around, str) and around in self.steps and around not in seen:
            seen.add(around)
            count += 1
            around = at(self.document, "steps", around, "in")
        return count

    def _follows(self, step: str, known: KnownStep) -> Iterator[str]:
        by_port: dict[str, list[str]] = {}
        for port, target in self.following.get(step, []):
            by_port.setdefault(port, []).append(self.title(target))
        given = at(self.document, "steps", step)
        ports = list(dict.fromkeys([*_ports(known, given), *by_port]))
        plain = [one for one in ports if one not in {"error", "timeout", "body"}]
        for port in plain:
            named = by_port.get(port)
            only = len(plain) == 1
            if named is None:
                yield self.say("ends" if only else "ends_by", port=one_line(port))
            else:
                following = "”, “".join(named) if self.language == "en" else "“, „".join(named)
                yield self.say("then" if only else "then_by", port=one_line(port), next=following)
        yield from self._when_it_fails(known, given, by_port)
        yield from self._beside(given)

    def _when_it_fails(
        self, known: KnownStep, given: Any, by_port: Mapping[str, list[str]]
    ) -> Iterator[str]:
        then = at(given, "on_error", "then")
        is_effect = known.type is not None and known.type.behaviour is Behaviour.EFFECT
        if "error" in by_port:
            yield self.say("error_to", next="”, “".join(by_port["error"]))
        elif then in {"ask", "default", "stop"}:
            yield self.say(f"error_{then}")
        elif is_effect:
            yield self.say("error_stop")
        if "timeout" in by_port:
            yield self.say("timeout_to", next="”, “".join(by_port["timeout"]))
        elif at(given, "time_limit") or (at(given, "config", "due") and "timeout" in known.ports):
            yield self.say("timeout_fails")

    def _beside(self, given: Any) -> Iterator[str]:
        limit, undo = at(given, "time_limit"), at(given, "undo")
        tries = at(given, "retry", "transient", "max_attempts")
        tries = tries or at(given, "config", "retry", "max_attempts")
        if isinstance(tries, int):
            yield self.say("tries", count=tries)
        if isinstance(limit, str) and limit:
            yield self.say("time_limit", time=duration(limit, self.language))
        if isinstance(undo, str) and undo in self.steps:
            yield self.say("undone", undo=self.title(undo))

    def value(self, given: Any, *, bare: bool = False) -> str:
        """A value of a config: a text in quotes, an expression as it stands."""
        if isinstance(given, str) and (bare or is_template(given)):
            return _text(self.readable(expression_source(given).strip()))
        if isinstance(given, str):
            return f"“{_text(given)}”" if self.language == "en" else f"„{_text(given)}“"
        return "" if given is None else one_line(values.dumps(given), LONGEST)

    # Who decides, and what leaves

    def who(self, config: Config) -> str:
        """The people and groups who are asked."""
        return self.list_(self.asked(at(config, "assignees"))) or self.say("nobody")

    def asked(self, whom: Any) -> list[str]:
        """Groups, people and the managers of those who are asked, each by name."""
        groups = [self.say("group", name=self.plain(one)) for one in _list(at(whom, "groups"))]
        users = [self.plain(one) for one in _list(at(whom, "users"))]
        return [*groups, *users, *([self.say("managers")] if at(whom, "managers") else [])]

    def rule(self, config: Config) -> str:
        """How many must say yes."""
        rule = config.get("rule")
        if not isinstance(rule, Mapping):
            return self.say("rule_any")
        if rule.get("all") is True or rule.get("majority") is True:
            return self.say("rule_all" if rule.get("all") else "rule_majority")
        for name in ("n", "percent", "weight"):
            count = rule.get(name)
            if isinstance(count, int) and not isinstance(count, bool):
                return self.say(f"rule_{name}", n=count)
        return self.say("rule_any")

    def stages(self, config: Config) -> list[str]:
        """What the stages after the first ask, a sentence each."""
        found = []
        for number, stage in enumerate(_list(config.get("stages")), start=2):
            if isinstance(stage, Mapping):
                name = stage.get("title")
                known = isinstance(name, str) and name.strip()
                which = self.say("stage_named", name=self.value(name)) if known else ""
                told = {"number": number, "which": which, "who": self.who(stage)}
                found.append(self.say("stage", **told, rule=self.rule(stage)))
        return found

    def filled(self, config: Config) -> list[str]:
        """What is filled in with an answer."""
        named = _questions(config)
        return [self.say("form_filled", fields=self.list_(named))] if named else []

    def deciding(self, step: str) -> Deciding | None:
        """Who decides at a step, where somebody does."""
        known = self.steps[step]
        if known.type is None or known.type.kind != "approval":
            return None
        config = known.config
        how = [self.rule(config), *self.stages(config)]
        how += limits(self, config)
        how += self.filled(config)
        how += self.together(config)
        how += self.follows(config)
        how.append(
            self.say("requester" if config.get("allow_requester") is True else "requester_not")
        )
        return Deciding(step, self.title(step), self.who(config), how)

    def together(self, config: Config) -> list[str]:
        """Whether several of these can be answered at once."""
        bulk = config.get("bulk")
        if not isinstance(bulk, Mapping):
            return []
        label, limit = bulk.get("amount_label"), bulk.get("amount_limit")
        said = {"label": self.value(label), "limit": self.value(limit)}
        return [self.say("together", count=_whole(bulk.get("max"), 2), **said)]

    def follows(self, config: Config) -> list[str]:
        """Which event changes facts meanwhile, and what becomes of the answers."""
        watch = config.get("watch")
        if not isinstance(watch, Mapping):
            return []
        labels = [self.value(at(one, "label")) for one in _list(watch.get("set"))]
        policy = watch.get("on_change")
        known = policy if policy in POLICIES else ASK_AGAIN
        return [
            self.say("follows", type=_text(watch.get("type")), facts=self.list_(labels)),
            self.say(f"follows_{known}"),
        ]

    def leaving(self, step: str) -> Leaving | None:
        """What goes out by a step, where something does."""
        known = self.steps[step]
        to = self._to(known)
        if known.type is None or to is None:
            return None
        fields, secrets = _reads(known)
        return Leaving(
            step, self.title(step), type_word(known.type.kind, self.language), to, fields, secrets
        )

    def _to(self, known: KnownStep) -> str | None:
        config = known.config
        match known.type.kind if known.type else "":
            case "http.request":
                return _host(config.get("url")) or self.say("somewhere")
            case "mail.send":
                to = config.get("to")
                named = (
                    to
                    if isinstance(to, list)
                    else _text(to).split(",")
                    if not is_template(to)
                    else [to]
                )
                return self.list_([self.plain(one) for one in named if one]) or self.say("nobody")
            case "emit":
                return self.say("to_takers", type=self.plain(config.get("type")))
            case "subflow":
                return self.say("to_flow", flow=_text(config.get("flow")))
            case "respond":
                return self.say("caller")
        effect = known.type is not None and known.type.behaviour is Behaviour.EFFECT
        return self.say("somewhere") if effect else None

    def plain(self, given: Any) -> str:
        """A text without quotes, or the expression that makes it."""
        text = _text(given) if isinstance(given, str) else ""
        if not is_template(text):
            return text.strip()
        return _text(self.readable(expression_source(text).strip()))

    def readable(self, expression: str) -> str:
        """An expression in which what is read is called as people call it: “amount of Vendor”."""
        parts = _QUOTED.split(expression)
        return "".join(
            part if part.startswith('"') else _PATH.sub(self._called, part) for part in parts
        )

    def _called(self, path: re.Match[str]) -> str:
        step, rest = path["step"], (path["rest"] or "").removeprefix(".")
        if step is None:
            return rest or path[0]
        if step not in self.steps:
            return path[0]
        return self.say("part_of", rest=rest, title=self.title(step)) if rest else self.title(step)

    def time(self, given: Any) -> str:
        """A length of time, or the expression that makes it."""
        return self.plain(given) if is_template(given) else duration(_text(given), self.language)

    def ways(self, config: Config) -> str:
        """The branches of a decide or a fork."""
        said = [
            self.say(
                "branch", port=_text(at(one, "port")), when=self.value(at(one, "when"), bare=True)
            )
            for one in _list(config.get("branches"))
            if isinstance(one, Mapping)
        ]
        if config.get("otherwise"):
            said.append(self.say("otherwise", port=_text(config["otherwise"])))
        return "; ".join(said)

    def first_of(self, config: Config) -> str:
        """The ways of a wait for the first of several."""
        said = []
        for one in _list(config.get("ways")):
            port = _text(at({"it": one}, "it", "port"))
            event = at({"it": one}, "it", "event", "type")
            if event is not None:
                said.append(self.say("way_event", type=self.plain(event), port=port))
            elif (time := at({"it": one}, "it", "for")) is not None:
                said.append(self.say("way_for", time=self.time(time), port=port))
            elif (moment := at({"it": one}, "it", "until")) is not None:
                said.append(self.say("way_until", time=self.value(moment, bare=True), port=port))
        return self.list_(said, "or" if self.language == "en" else "oder")


def reading_order(
    document: Document,
    steps: Mapping[str, Any],
    following: Mapping[str, list[tuple[str, str]]],
) -> list[str]:
    """Steps as a reader meets them: along the links, what is inside before what comes after."""
    inside: dict[str | None, list[str]] = {}
    for step in sorted(steps):
        around = at(document, "steps", step, "in")
        inside.setdefault(
            around if isinstance(around, str) and around in steps else None, []
        ).append(step)
    linked = {to for ways in following.values() for _, to in ways}

    def leads_to(step: str) -> list[str]:
        ways = following.get(step, [])
        within = [to for port, to in ways if port == "body"]
        loose = [one for one in inside.get(step, []) if one not in linked]
        return [*within, *loose, *(to for port, to in ways if port != "body")]

    seen: set[str] = set()
    order = _topological(leads_to(TRIGGER), leads_to, seen)
    for step in sorted(steps):
        order += _topological([step], leads_to, seen)
    return order


def _topological(
    first: Sequence[str], leads_to: Callable[[str], Sequence[str]], seen: set[str]
) -> list[str]:
    """What is reached, each after all that leads to it but by a loop, ways in their order."""
    done: list[str] = []
    for root in reversed(first):
        if root in seen:
            continue
        seen.add(root)
        stack = [(root, iter(reversed(leads_to(root))))]
        while stack:
            rest = stack[-1][1]
            following = next((one for one in rest if one not in seen), None)
            if following is None:
                done.append(stack.pop()[0])
            else:
                seen.add(following)
                stack.append((following, iter(reversed(leads_to(following)))))
    return done[::-1]


def _following(
    document: Document, steps: Mapping[str, KnownStep]
) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for link in _list(document.get("links")):
        if not isinstance(link, Mapping):
            continue
        source, target, port = link.get("from"), link.get("to"), link.get("port")
        if not isinstance(source, str) or not isinstance(target, str) or target not in steps:
            continue
        if not isinstance(port, str) or not port:
            own = steps[source].ports if source in steps else ()
            port = own[0] if own else "done"
        found.setdefault(source, []).append((port, target))
    return found


def _ports(known: KnownStep, given: Any) -> list[str]:
    return [one for one in known.ports if one != "timeout" or at(given, "config", "due")]


def _reads(known: KnownStep) -> tuple[list[str], list[str]]:
    """The fields of the run that a step's config reads, and the secrets that it sends."""
    fields: set[str] = set()
    secrets: set[str] = set()
    bare = known.type.expression_fields if known.type else frozenset()
    waiting: list[tuple[Any, tuple[str, ...]]] = [(known.config, ())]
    while waiting:
        node, path = waiting.pop()
        if isinstance(node, Mapping):
            name = node.get("secret")
            if isinstance(name, str) and set(node) <= {"secret", "prefix"}:
                secrets.add(one_line(name))
                continue
            waiting += [(inner, (*path, str(key))) for key, inner in node.items()]
        elif isinstance(node, list):
            waiting += [(inner, (*path, "*")) for inner in node]
        elif isinstance(node, str) and (is_template(node) or path in bare):
            try:
                read = feel.compile_expression(expression_source(node)).paths
            except feel.FeelError:
                continue
            fields |= {one_line(".".join(one), LONGEST) for one in read}
    return sorted(fields), sorted(secrets)


def _host(url: Any) -> str:
    """The host of an address, also where only its path is made by an expression."""
    text = url if isinstance(url, str) else ""
    if is_template(text):
        quoted = expression_source(text).strip()
        if not quoted.startswith('"'):
            return ""
        text = quoted[1:].partition('"')[0]
        if "/" not in text.partition("://")[2]:
            return ""  # the host itself may go on in what is joined to it
    try:
        return one_line(urlsplit(text).hostname or "")
    except ValueError:
        return ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return one_line(value, LONGEST) if isinstance(value, str) else ""


def _whole(value: Any, other: int) -> int:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else other


def _map(teller: _Teller, config: Config) -> str:
    fields = config.get("fields")
    names = sorted(map(one_line, fields)) if isinstance(fields, Mapping) else []
    return teller.say("map" if names else "map_none", fields=teller.list_(names))


def _table(teller: _Teller, config: Config) -> str:
    names = [
        _text(at(one, "name")) for one in _list(config.get("outputs")) if isinstance(one, Mapping)
    ]
    inputs = [
        _text(at(one, "label")) or teller.value(at(one, "expression"), bare=True)
        for one in _list(config.get("inputs"))
        if isinstance(one, Mapping)
    ]
    count = len(_list(config.get("rules")))
    return teller.say("table", names=teller.list_(names), count=count, inputs=teller.list_(inputs))


def _approval(teller: _Teller, config: Config) -> str:
    asks = teller.say(
        "approval",
        who=teller.who(config),
        title=f"{teller.value(config.get('title') or '')}.",
        rule=teller.rule(config),
    )
    return " ".join([asks, *teller.filled(config), *teller.stages(config)])


def _fill_in(teller: _Teller, config: Config) -> str:
    return teller.say(
        "fill_in",
        who=teller.list_(teller.asked(config.get("assignees"))) or teller.say("asker"),
        fields=teller.list_(_questions(config)) or "…",
        title=teller.value(config.get("title") or ""),
    )


def _delay(teller: _Teller, config: Config) -> str:
    if config.get("for") is not None:
        return teller.say("delay_for", time=teller.time(config["for"]))
    return teller.say("delay_until", time=teller.value(config.get("until"), bare=True))


def _wait(teller: _Teller, config: Config) -> str:
    key = config.get("key")
    words = "wait_event_of" if key else "wait_event"
    return teller.say(words, type=_text(config.get("type")), key=teller.value(key, bare=True))


def _stop(teller: _Teller, config: Config) -> str:
    said = teller.say("stop_failed" if config.get("outcome") == "failed" else "stop")
    if not config.get("message"):
        return said
    return f"{said} {teller.say('says', message=teller.value(config['message']))}"


def _join(teller: _Teller, config: Config) -> str:
    mode = config.get("mode", "all")
    if mode in ("any", "active", "all"):
        return teller.say(f"join_{mode}")
    return teller.say(
        "join_n", n=at({"it": mode}, "it", "n") or at({"it": mode}, "it", "tokens") or "?"
    )


def _http(teller: _Teller, config: Config) -> str:
    method = _text(config.get("method")) or "POST"
    return teller.say("http", method=method, url=teller.value(config.get("url") or ""))


def _mail(teller: _Teller, config: Config) -> str:
    to = config.get("to")
    named = [teller.value(one) for one in to] if isinstance(to, list) else [teller.value(to or "")]
    return teller.say(
        "mail", to=teller.list_(named), subject=teller.value(config.get("subject") or "")
    )


def _for_each(teller: _Teller, config: Config) -> str:
    items, parallel = (
        teller.value(config.get("items"), bare=True),
        _whole(config.get("parallel"), 10),
    )
    return teller.say("for_each", items=items, parallel=parallel)


def _repeat(teller: _Teller, config: Config) -> str:
    until, most = teller.value(config.get("until"), bare=True), _whole(config.get("most"), 100)
    return teller.say("repeat", until=until, most=most)


def _cancel(teller: _Teller, config: Config) -> str:
    named = [teller.title(one) for one in _list(config.get("steps")) if isinstance(one, str)]
    marks = ("“", "”") if teller.language == "en" else ("„", "“")
    return teller.say("cancel", steps=teller.list_([f"{marks[0]}{one}{marks[1]}" for one in named]))


def _questions(config: Config) -> list[str]:
    """What the form of a step asks, by the titles of its questions."""
    asked = at(config, "form", "properties")
    if not isinstance(asked, Mapping):
        return []
    titled = ((name, at({"it": one}, "it", "title")) for name, one in asked.items())
    return sorted(one_line(_text(title) or name) for name, title in titled)


def _asked(config: Mapping[str, Any]) -> list[str]:
    """The names that a form asks for."""
    asked = at(config, "form", "properties")
    return sorted(map(one_line, asked)) if isinstance(asked, Mapping) else []


_RULES: Mapping[str, Callable[[_Teller, Config], str]] = {
    "decide": lambda teller, config: teller.say("decide", ways=teller.ways(config)),
    "fork": lambda teller, config: teller.say("fork", ways=teller.ways(config)),
    "table": _table,
    "map": _map,
    "approval": _approval,
    "fill_in": _fill_in,
    "http.request": _http,
    "mail.send": _mail,
    "delay": _delay,
    "emit": lambda teller, config: teller.say("emit", type=teller.plain(config.get("type"))),
    "wait.event": _wait,
    "wait.first": lambda teller, config: teller.say("wait_first", ways=teller.first_of(config)),
    "respond": lambda teller, config: teller.say(
        "respond", status=_whole(config.get("status"), 200)
    ),
    "stop": _stop,
    "join": _join,
    "split": lambda teller, config: teller.say("split", times=_whole(config.get("times"), 2)),
    "for_each": _for_each,
    "repeat": _repeat,
    "block": lambda teller, _config: teller.say("block"),
    "cancel": _cancel,
    "subflow": lambda teller, config: teller.say(
        "subflow_go" if config.get("wait") is False else "subflow", flow=_text(config.get("flow"))
    ),
    "add_items": lambda teller, config: teller.say(
        "add_items",
        items=teller.value(config.get("items"), bare=True),
        to=teller.title(_text(config.get("to"))),
    ),
}
