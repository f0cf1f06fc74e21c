"""One change in one sentence: “Approve: due changed from 2 days to 4 hours”."""

from collections.abc import Iterator, Mapping
from typing import Any

from apps.engine.graph import TRIGGER
from apps.steps import registry
from apps.steps.changes import ABSENT, Change, is_same
from apps.steps.comparison import words
from apps.steps.comparison.words import Language, sentence
from apps.steps.findings import at
from apps.steps.texts import one_line

Document = Mapping[str, Any]
#: What names a row of a list, so that one that changed is told from one that came.
ROW_NAMES = ("port", "label", "name", "id", "path", "key", "title")
MOST_ITEMS = 4


def kind_of(change: Change) -> str:
    """``added``, ``removed`` or ``changed``, of the place itself."""
    if change.before is ABSENT:
        return "added"
    return "removed" if change.after is ABSENT else "changed"


def title_of(step: str, before: Document, after: Document, language: Language) -> str:
    """What a step is called: by the newer document where it is there."""
    if step == TRIGGER:
        return words.trigger_word(language)
    for document in (after, before):
        title = at(document, "steps", step, "title")
        if isinstance(title, str) and title.strip():
            return one_line(title)
        kind = at(document, "steps", step, "type")
        if isinstance(kind, str):
            return type_word(kind, language)
    return one_line(step)


def type_word(kind: object, language: Language) -> str:
    """A type of step or trigger in words."""
    if not isinstance(kind, str):
        return "?"
    if language == "de" and kind in words.KINDS:
        return words.KINDS[kind]
    titles = {one.kind: one.title for one in registry.triggers()}
    titles |= {one.kind: one.title for one in registry.catalogue()}
    return titles.get(kind) or one_line(kind)


def tell(change: Change, before: Document, after: Document, language: Language) -> str:
    """The sentence of a change, without a full stop."""
    match change.path:
        case ("links", _):
            return _link(change, before, after, language)
        case ("links", "order", _):
            return _order(change, before, after, language)
        case ("steps", str(step)):
            return _step(change, title_of(step, before, after, language), language)
        case ("steps", str(step), "title"):
            old, new = (_name(document, step, language) for document in (before, after))
            return sentence("renamed", language, before=old, after=new)
        case ("steps", str(step), "in"):
            return _moved(change, step, before, after, language)
        case ("steps", str(step), *path):
            what = title_of(step, before, after, language)
            schema = _schema(after, before, step)
            return _field(change, what, tuple(path), schema, language)
        case ("trigger",):
            old, new = (type_word(at(one, TRIGGER, "type"), language) for one in (before, after))
            is_first = kind_of(change) == "added"
            return sentence(
                "starts" if is_first else "trigger_replaced", language, before=old, after=new
            )
        case ("trigger", *path):
            schema = _trigger_schema(after)
            return _field(change, words.trigger_word(language), tuple(path), schema, language)
        case ("name",):
            return sentence("flow_renamed", language, after=one_line(str(change.after)))
        case ("settings", str(), *_):
            inner = change.path[1:]
            return _field(change, words.flow_word(language), inner, {}, language)
        case _:
            return _field(change, words.flow_word(language), change.path, {}, language)


def _step(change: Change, what: str, language: Language) -> str:
    kind = kind_of(change)
    if kind != "changed":
        return sentence(kind, language, what=what)
    old, new = (
        type_word(at({"x": one}, "x", "type"), language) for one in (change.before, change.after)
    )
    return sentence("replaced", language, what=what, before=old, after=new)


def _name(document: Document, step: str, language: Language) -> str:
    return title_of(step, document, document, language)


def _moved(change: Change, step: str, before: Document, after: Document, language: Language) -> str:
    what = title_of(step, before, after, language)
    if isinstance(change.after, str):
        inside = title_of(change.after, before, after, language)
        return sentence("into", language, what=what, after=inside)
    outside = title_of(str(change.before), before, after, language)
    return sentence("out", language, what=what, before=outside)


def _link(change: Change, before: Document, after: Document, language: Language) -> str:
    link = change.before if change.after is ABSENT else change.after
    from_ = _way(link["from"], link.get("port"), before, after, language)
    key = {"added": "connected", "removed": "disconnected", "changed": "link"}[kind_of(change)]
    to = title_of(link["to"], before, after, language)
    return sentence(key, language, before=from_, after=to)


def _way(step: str, port: object, before: Document, after: Document, language: Language) -> str:
    """Where a link leaves: the step, and the way where it has a name of its own."""
    from_ = title_of(step, before, after, language)
    if not port or port == "done" or step == TRIGGER:
        return from_
    return sentence("by", language, step=from_, port=one_line(str(port)))


def _order(change: Change, before: Document, after: Document, language: Language) -> str:
    """What starts first by one way, where the same links stand in another order."""
    step, _, port = change.path[2].partition(":")
    ends = (name.rpartition(">")[2].partition("#")[0] for name in change.after)
    titles = [words.quoted(title_of(one, before, after, language), language) for one in ends]
    told = titles[:MOST_ITEMS]
    if len(titles) > MOST_ITEMS:
        told.append(sentence("more", language, count=len(titles) - MOST_ITEMS))
    way = _way(step, port, before, after, language)
    return sentence("order", language, before=way, items=", ".join(told))


def _schema(after: Document, before: Document, step: str) -> Mapping[str, Any]:
    for document in (after, before):
        kind, version = at(document, "steps", step, "type"), at(document, "steps", step, "version")
        if isinstance(kind, str):
            for type_ in registry.catalogue():
                if type_.kind == kind and type_.version == (version or 1):
                    return type_.config_schema
    return {}


def _trigger_schema(document: Document) -> Mapping[str, Any]:
    kind = at(document, TRIGGER, "type")
    for type_ in registry.triggers():
        if type_.kind == kind:
            return type_.config_schema
    return {}


def _field(
    change: Change, what: str, path: tuple[str, ...], schema: Mapping[str, Any], language: Language
) -> str:
    found = dict(_labelled(path, schema, language))
    field, node = ": ".join(found), next(reversed(found.values()), {})
    labels = node.get("x-labels") if language == "en" else {}
    told = {"what": what, "field": field}
    old, new = change.before, change.after
    if isinstance(new, bool) and (isinstance(old, bool) or old in (ABSENT, None)):
        return sentence("on" if new else "off", language, **told)
    if isinstance(old, list) and isinstance(new, list):
        return sentence("items", language, **told, items=_items(old, new, language))
    if _is_long(old) or _is_long(new):
        return sentence("touched", language, **told)

    def say(value: Any, *, dative: bool = False) -> str:
        return words.value(value, language, labels or {}, dative=dative)

    if _is_nothing(old):
        return sentence("set", language, **told, after=say(new))
    if _is_nothing(new):
        return sentence("cleared", language, **told, before=say(old))
    before, after = say(old, dative=True), say(new, dative=True)
    if before == after:
        return sentence("touched", language, **told)
    return sentence("changed", language, **told, before=before, after=after)


def _is_nothing(value: Any) -> bool:
    return value is ABSENT or value is None or value in ("", [], {})


def _is_long(value: Any) -> bool:
    return isinstance(value, str) and (len(value) > words.LONGEST or "\n" in value)


def _labelled(
    path: tuple[str, ...], schema: Mapping[str, Any], language: Language
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The label of each part of a path, with its schema where there is one."""
    definitions = schema.get("$defs", {})
    here: Mapping[str, Any] = schema
    parts = path[1:] if path[0] == "config" and len(path) > 1 else path
    is_config = path[0] == "config"
    for part in parts:
        node = _property(here, part, definitions) if is_config else {}
        title = node.get("title") if isinstance(node.get("title"), str) else None
        # A title that pydantic made of the name of a class is no word for people.
        pair = words.FIELDS.get(title or "") or words.NAMES.get(part)
        yield words.pick(pair, language) if pair else (title or f"“{one_line(part)}”"), node
        here = node


def _property(
    node: Mapping[str, Any], name: str, definitions: Mapping[str, Any]
) -> Mapping[str, Any]:
    ref = str(node.get("$ref", "")).rsplit("/", 1)[-1]
    if ref and isinstance(definitions.get(ref), Mapping):
        node = {**definitions[ref], **node}
    properties = node.get("properties")
    if isinstance(properties, Mapping) and isinstance(properties.get(name), Mapping):
        found: Mapping[str, Any] = properties[name]
        return found
    for one in node.get("anyOf") or node.get("oneOf") or ():
        if isinstance(one, Mapping) and (inner := _property(one, name, definitions)):
            return inner
    return {}


def _items(old: list[Any], new: list[Any], language: Language) -> str:
    """What became of the entries of a list: by name where they have one, else by what they say."""
    before, after = _named_items(old, language), _named_items(new, language)
    told = [sentence("item_added", language, one=one) for one in after if one not in before]
    told += [sentence("item_removed", language, one=one) for one in before if one not in after]
    told += [
        sentence("item_changed", language, one=one)
        for one, value in after.items()
        if one in before and not is_same(before[one], value)
    ]
    if not told:
        return sentence("item_order", language)
    if len(told) > MOST_ITEMS:
        rest = sentence("more", language, count=len(told) - MOST_ITEMS)
        return ", ".join([*told[:MOST_ITEMS], rest])
    return ", ".join(told)


def _named_items(items: list[Any], language: Language) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, item in enumerate(items, start=1):
        name = f"{number}."
        if isinstance(item, Mapping):
            names = (item.get(one) for one in ROW_NAMES)
            name = next(
                (words.quoted(one, language) for one in names if isinstance(one, str) and one), name
            )
        elif isinstance(item, str):
            name = words.quoted(item, language)
        while name in found:
            name += f" ({number})"
        found[name] = item
    return found
