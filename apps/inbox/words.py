"""A task in the words of the people who decide: rules, consequences, times and values.

The pages and the API say the same. Nothing here is marked as safe markup: values are given as a
small tree (``Shown``) that a template writes out, escaped.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext, ngettext

from apps.engine import values
from apps.engine.graph import Behaviour
from apps.flows.compiled import compiled
from apps.inbox import rules
from apps.inbox.models import TaskAssignee, UserTask
from apps.inbox.opening import voters_of
from apps.steps import deciding
from apps.steps.document import CompiledFlow, CompiledStep
from apps.steps.forms import FILE_NAMES

MAX_DEPTH = 6
MAX_COLUMNS = 6
NOTHING = "\N{EN DASH}"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer a person can give: its button, what happens then, and whether that goes on."""

    outcome: str
    label: str
    then: str
    side: deciding.Side | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as a person reads it.

    ``text`` and ``number``: ``text``, with ``exact`` as it was written where that differs.
    ``items``: a list in ``parts``. ``rows``: named values, ``labels`` beside ``parts``. ``table``:
    ``labels`` are the columns, each of ``parts`` a row of cells. ``file``: its name, with its id.
    """

    kind: Literal["text", "number", "items", "rows", "table", "file"]
    text: str = ""
    exact: str = ""
    labels: tuple[str, ...] = ()
    parts: tuple["Shown", ...] = ()

    @property
    def named(self) -> list[tuple[str, "Shown"]]:
        """Labels with their parts."""
        return list(zip(self.labels, self.parts, strict=True))

    @property
    def columns(self) -> list[tuple[str, "Shown"]]:
        """A table's labels, each with its first cell."""
        return list(zip(self.labels, self.parts[0].parts, strict=True))


def rule_sentence(rule: Mapping[str, Any], people: Sequence[TaskAssignee]) -> str:
    """The rule in words, for the people who may answer."""
    if rules.is_filling(rule):
        return gettext("One of them fills it in.") if len(people) > 1 else ""
    voters = voters_of(people)
    if is_short(rule, people):
        return ngettext(
            "%(wanted)d must approve, but only %(people)d person can be asked:"
            " this cannot be approved.",
            "%(wanted)d must approve, but only %(people)d people can be asked:"
            " this cannot be approved.",
            len(people),
        ) % {"wanted": deciding.needed(rule, voters), "people": len(people)}
    said = [_approved_when(rule, voters), _rejected_when(rule, voters)]
    if veto := [one.user.get_full_name() for one in people if one.may_veto]:
        said.append(gettext("A rejection by %(names)s ends it.") % {"names": ", ".join(veto)})
    return " ".join(filter(None, said))


def _approved_when(rule: Mapping[str, Any], voters: Sequence[deciding.Voter]) -> str:
    counts = {"wanted": deciding.needed(rule, voters), "people": len(voters)}
    if "majority" in rule and len(voters) > 1:
        return gettext(
            "When all %(people)d have answered, the majority decides; a tie is a rejection."
        ) % {"people": len(voters)}
    if "weight" in rule:
        weights = {**counts, "all": sum(one.weight for one in voters)}
        return gettext("Approvals must weigh %(wanted)d of %(all)d together.") % weights
    if "any" in rule or len(voters) == 1:
        if rule.get("rejection"):
            return gettext("One approval is enough.")
        return gettext("The first answer decides.")
    if not rule.get("all"):
        return gettext("%(wanted)d of %(people)d must approve.") % counts
    if rule.get("rejection"):
        return gettext("All %(people)d must approve.") % counts
    return gettext("All %(people)d must approve; one refusal ends it.") % counts


def _rejected_when(rule: Mapping[str, Any], voters: Sequence[deciding.Voter]) -> str:
    """Where the step says so; empty else."""
    rejection = rule.get("rejection")
    if not rejection:
        return ""
    wanted = deciding.needed(rejection, voters)
    if "weight" in rejection:
        return gettext("Rejections that weigh %(wanted)d together end it.") % {"wanted": wanted}
    return ngettext(
        "One rejection ends it.", "It takes %(wanted)d rejections to end it.", wanted
    ) % {"wanted": wanted}


def is_short(rule: Mapping[str, Any], people: Sequence[TaskAssignee]) -> bool:
    """Whether those who can answer could not approve it, even all together."""
    return not deciding.is_reachable(deciding.Terms.of(rule), voters_of(people), "for")


def answers(task: UserTask, people: Sequence[TaskAssignee]) -> list[Answer]:
    """The answers with what follows from each, read from the version the run is of."""
    flow = compiled(task.version_id)
    if task.kind == rules.EXCEPTION:
        return _ways_on(flow, task.step)
    # Where too few can answer, an approval, too, ends it as rejected.
    is_lost = is_short(task.rule, people)
    conditions = _conditions(task.rule, people)
    outcomes = rules.outcomes(task.kind, task.rule)
    against = next((one for one in outcomes if rules.side(task.rule, one) == "against"), None)
    found = []
    for outcome in outcomes:
        side = rules.side(task.rule, outcome)
        once = conditions.get(side or "", "")
        if task.later and side == "for" and not is_lost:
            then = _next_stage(task, once)
        else:
            port = against if against and is_lost and side != "back" else outcome
            then = _then(flow, task.step, port, once)
        found.append(Answer(outcome, button(task.rule, outcome), then, side))
    return found


def then_of(task: UserTask, outcome: str) -> str:
    """What one answer leads to; empty where there is no such answer."""
    people = list(task.assignees.filter(dropped_at__isnull=True).select_related("user"))
    return next((one.then for one in answers(task, people) if one.outcome == outcome), "")


def requester_name(task: UserTask) -> str:
    """Who asked, as far as it is known."""
    return task.requester.get_full_name() if task.requester else task.requester_text


def _next_stage(task: UserTask, once: str) -> str:
    """Who is asked after this stage."""
    told = {"stage": task.stage + 1, "stages": task.stages, "once": once}
    if name := " ".join(str(task.later[0]["title"]).split()):
        return gettext("Next: stage %(stage)d of %(stages)d is asked, %(name)s%(once)s.") % {
            **told,
            "name": name,
        }
    return gettext("Next: stage %(stage)d of %(stages)d is asked%(once)s.") % told


def button(rule: Mapping[str, Any], outcome: str) -> str:
    """What the button says."""
    given = {one["port"]: one["label"] for one in rule.get("choices") or ()}
    if given.get(outcome):
        return str(given[outcome])
    return {
        rules.APPROVED: gettext("Approve"),
        rules.REJECTED: gettext("Reject"),
        rules.SUBMITTED: gettext("Submit"),
    }[outcome]


def _ways_on(flow: CompiledFlow, step_id: str) -> list[Answer]:
    """What may become of a step that has failed."""
    step, undoes = flow.steps[step_id], step_id in flow.graph.compensations
    again = gettext("“%(step)s” is done once more.") % {"step": _title(flow, step_id)}
    if step.type.behaviour is Behaviour.EFFECT:
        again += " " + gettext("Whoever it is sent to takes it as something new.")
    return [
        Answer(rules.RETRY, gettext("Try again"), again, "for"),
        Answer(rules.SKIP, gettext("Skip this step"), _skipped(flow, step, undoes=undoes), None),
        Answer(
            rules.FAIL, gettext("Let it fail"), _left_to_fail(flow, step, undoes=undoes), "against"
        ),
    ]


def _skipped(flow: CompiledFlow, step: CompiledStep, *, undoes: bool) -> str:
    if undoes:
        return gettext("It counts as undone, and what else is to be undone goes on.")
    on_error = step.fields.on_error
    if on_error is not None and on_error.output is not None:
        reads = gettext("Later steps read what this step says for that case.")
    else:
        reads = gettext("Later steps find its result empty.")
    return f"{_then(flow, step.id, step.ports[0])} {reads}" if step.ports else reads


def _left_to_fail(flow: CompiledFlow, step: CompiledStep, *, undoes: bool) -> str:
    if undoes:
        return gettext("What could not be undone is written down; what else can be, is undone.")
    if flow.graph.from_port(step.id, "error"):
        return _then(flow, step.id, "error")
    if step.fields.scope:
        around = _title(flow, step.fields.scope)
        return gettext("“%(step)s”, of which it is a part, fails.") % {"step": around}
    return gettext("The request ends as failed.")


def outcome_word(rule: Mapping[str, Any], outcome: str) -> str:
    """An answer as it was given, in a word or two; what a step calls its own is quoted.

    What such a button says may be a verb or a whole sentence, which no sentence of ours can bend.
    """
    label = outcome_label(rule, outcome)
    return gettext("“%(label)s”") % {"label": label} if _is_own(rule, outcome) else label


def outcome_in_line(rule: Mapping[str, Any], outcome: str) -> str:
    """The same within a sentence or a line."""
    word = outcome_word(rule, outcome)
    return word if _is_own(rule, outcome) else word.lower()


def outcome_label(rule: Mapping[str, Any], outcome: str) -> str:
    """An answer by its name alone, for where it stands by itself or is quoted anyhow."""
    given = {one["port"]: str(one["label"]) for one in rule.get("choices") or ()}
    return (
        given.get(outcome)
        or {
            rules.APPROVED: gettext("Approved"),
            rules.REJECTED: gettext("Rejected"),
            rules.SUBMITTED: gettext("Submitted"),
            rules.RETRY: gettext("Tried again"),
            rules.SKIP: gettext("Skipped"),
            rules.FAIL: gettext("Left to fail"),
        }[outcome]
    )


def _is_own(rule: Mapping[str, Any], outcome: str) -> bool:
    return any(one["port"] == outcome and one["label"] for one in rule.get("choices") or ())


def _conditions(rule: Mapping[str, Any], people: Sequence[TaskAssignee]) -> dict[str, str]:
    """Where one answer does not settle it: what does, by side."""
    voters = voters_of(people)
    if is_short(rule, people):
        return {}
    if "majority" in rule and len(voters) > 1:
        return dict.fromkeys(("for", "against"), gettext(", once all have answered"))
    approvals = 1 if "any" in rule else deciding.needed(rule, voters)
    if rejection := rule.get("rejection"):
        rejections = deciding.needed(rejection, voters)
    else:
        rejections = 1 if "any" in rule else len(voters) - approvals + 1
    enough = gettext(", once enough have said so")
    approved = gettext(", once %(n)d have approved") % {"n": approvals} if approvals > 1 else ""
    rejected = gettext(", once %(n)d have rejected") % {"n": rejections} if rejections > 1 else ""
    return {
        "for": enough if "weight" in rule else approved,
        "against": enough if "weight" in (rejection or rule) else rejected,
    }


def changed_label(label: str) -> str:
    """What has changed: a fact by its own label, else a part of the page."""
    return {"title": gettext("What is asked"), "details": gettext("Details")}.get(label, label)


def without_answer(task: UserTask) -> str:
    """What happens when nobody answers in time; empty where there is no limit."""
    return _then(compiled(task.version_id), task.step, "timeout") if task.due_at else ""


def _then(flow: CompiledFlow, step: str, port: str, once: str = "") -> str:
    links = flow.graph.from_port(step, port)
    if not links:
        if port in flow.graph.steps[step].fails_unlinked:
            return gettext("The request ends as failed%(once)s.") % {"once": once}
        return gettext("Nothing more happens on this path%(once)s.") % {"once": once}
    named = " · ".join(_title(flow, link.target) for link in links)
    if all(flow.graph.steps[link.target].behaviour is Behaviour.END for link in links):
        return gettext("The request ends: %(step)s%(once)s.") % {"step": named, "once": once}
    return gettext("Next: %(step)s%(once)s.") % {"step": named, "once": once}


def _title(flow: CompiledFlow, step_id: str) -> str:
    """The step as its author named it, else what its kind does; never its id."""
    step = flow.steps[step_id]
    return step.title if step.title != step.id else step.type.title


# Times


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A time in the reader's zone, which is named."""
    local = at.astimezone(zone)
    return f"{formats.date_format(local, gettext('j F Y, H:i'))} ({zone.key.replace('_', ' ')})"


def time_left(until: datetime, now: datetime) -> str:
    """How long is left, in the two largest units."""
    left = until - now
    if left <= timedelta(0):
        return gettext("The time is over")
    if left < timedelta(minutes=1):
        return gettext("Less than a minute left")
    return gettext("%(time)s left") % {"time": length_of(left)}


def length_of(time: timedelta) -> str:
    """A length of time in its two largest units; in seconds where it is short."""
    seconds = int(time.total_seconds())
    if seconds < 60:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    minutes = seconds // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = []
    if days:
        parts.append(ngettext("%(n)d day", "%(n)d days", days) % {"n": days})
    if hours:
        parts.append(ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours})
    if minutes and not days:
        parts.append(ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes})
    return " ".join(parts[:2])


# Values


def shown(value: Any, zone: ZoneInfo, depth: int = 0) -> Shown:
    """A fact's value, ready to be written out."""
    if isinstance(value, Mapping) and set(value) == set(FILE_NAMES):
        return Shown("file", text=str(value["name"]), exact=str(value["id"]))
    if isinstance(value, Mapping) and value:
        if depth >= MAX_DEPTH:
            return _text(values.dumps(value))
        return Shown(
            "rows",
            labels=tuple(label_of(str(name)) for name in value),
            parts=tuple(shown(part, zone, depth + 1) for part in value.values()),
        )
    if isinstance(value, list) and value:
        return _list(value, zone, depth)
    return _plain(value, zone)


def _list(items: Sequence[Any], zone: ZoneInfo, depth: int) -> Shown:
    if depth >= MAX_DEPTH:
        return _text(values.dumps(list(items)))
    if all(_is_plain(one) for one in items) and all(len(str(one)) <= 40 for one in items):
        return _text(", ".join(_plain(one, zone).text for one in items))
    columns = _columns(items)
    if columns:
        rows = tuple(
            Shown("rows", labels=columns, parts=tuple(_plain(one[name], zone) for name in columns))
            for one in items
        )
        return Shown("table", labels=tuple(map(label_of, columns)), parts=rows)
    return Shown("items", parts=tuple(shown(one, zone, depth + 1) for one in items))


def _columns(items: Sequence[Any]) -> tuple[str, ...]:
    """The names that every item has, where the items are alike enough for a table."""
    first = items[0]
    if isinstance(first, Mapping) and set(first) == set(FILE_NAMES):
        return ()
    if not isinstance(first, Mapping) or not first or len(first) > MAX_COLUMNS:
        return ()
    alike = all(
        isinstance(one, Mapping)
        and list(one) == list(first)
        and all(_is_plain(cell) for cell in one.values())
        for one in items
    )
    return tuple(first) if alike and len(items) > 1 else ()


def _is_plain(value: Any) -> bool:
    return not isinstance(value, Mapping | list)


def _plain(value: Any, zone: ZoneInfo) -> Shown:
    if value is None or value in ("", [], {}):
        return _text(NOTHING)
    if isinstance(value, bool):
        return _text(gettext("Yes") if value else gettext("No"))
    if isinstance(value, int | Decimal):
        written = values.dumps(value)
        text = formats.number_format(value, use_l10n=True, force_grouping=True)
        return Shown("number", text=str(text), exact=written if written != str(text) else "")
    if isinstance(value, str):
        return _text(_when(value, zone) or value, value)
    return _text(str(value))


def _text(text: str, exact: str = "") -> Shown:
    return Shown("text", text=text, exact=exact if exact != text else "")


def _when(text: str, zone: ZoneInfo) -> str:
    """A date or time as people write it; empty where the text is neither."""
    try:
        if _DATE.fullmatch(text) and (day := parse_date(text)):
            return formats.date_format(day, "j F Y")
        if _MOMENT.fullmatch(text) and (at := parse_datetime(text)):
            return moment(at, zone)
    except (ValueError, OverflowError):
        pass
    return ""


def label_of(name: str) -> str:
    """A name from data as a label: ``unit_price`` reads “Unit price”."""
    spaced = name.replace("_", " ").strip()
    return spaced[:1].upper() + spaced[1:] if spaced else name
