"""Draw ``docs/patterns.md`` from the golden graphs of the tests: ``python -m tools.patterns``."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from apps.engine.graph import BODY, TRIGGER, Behaviour
from apps.steps.registry import find, find_trigger

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "patterns.md"
FOLDER = ROOT / "tests" / "golden" / "patterns"
COUNT = 43

INTRO = """\
# Control-flow patterns

The {count} control-flow patterns of Russell, ter Hofstede, van der Aalst and Mulyar (2006), by
their numbers: what each means, how it is drawn here, and what a run of the picture does. Pictures
and results are drawn by `python -m tools.patterns` from `tests/golden/patterns`; the tests publish
each document, play it in the orders of answers that matter, in memory and through the driver on
the database, and hold the sentence under “Held” to every one of them. {shown} are shown, {refused}.
"""
_SHAPES = {
    "decide": ('{"', '"}'),
    "fork": ('{"', '"}'),
    "table": ('{"', '"}'),
    "join": ('{{"', '"}}'),
    "stop": ('((("', '")))'),
    "cancel": ('[/"', '"/]'),
}
# What the one line of a card leaves out.
_REST = {
    "cancel": "the rest is withdrawn",
    "finish": "the rest may finish",
    "block": "no new round before all have come",
}
_WAITS = ('(["', '"])')
_PLAIN = ('["', '"]')


def page() -> str:
    """The page as it must be; ``tools.check_generated`` compares."""
    goldens = sorted(
        (json.loads(path.read_text()) for path in FOLDER.glob("*.json")),
        key=lambda golden: int(golden["pattern"]),
    )
    refused = [golden for golden in goldens if "refused" in golden]
    numbers = ", ".join(str(golden["pattern"]) for golden in refused)
    intro = INTRO.format(
        count=COUNT,
        shown=len(goldens) - len(refused),
        refused=f"{len(refused)} refused ({numbers})" if refused else "none is refused",
    )
    contents = [f"- {_link(golden)}" for golden in goldens]
    return "\n".join([intro, *contents, "", *map(_section, goldens)])


def _link(golden: Mapping[str, Any]) -> str:
    heading = _heading(golden)
    anchor = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
    return f"[{heading}](#{anchor})"


def _heading(golden: Mapping[str, Any]) -> str:
    return f"{golden['pattern']} {golden['name']}"


def _section(golden: Mapping[str, Any]) -> str:
    lines = [f"## {_heading(golden)}", "", golden["definition"], ""]
    if "refused" in golden:
        return "\n".join([*lines, f"**Refused.** {golden['refused']}", ""])
    lines += [f"**How to draw it.** {golden['about']}", "", "```mermaid"]
    lines += [*_picture(golden["document"]), "```", ""]
    lines += ["| A run | What happens, in order | Ends |", "| --- | --- | --- |"]
    for told in golden["plays"]:
        story = " → ".join(_story(told["trace"], golden["document"]["steps"])) or "nothing"
        lines.append(f"| {told['said']} | {story} | {told['status']} |")
    return "\n".join([*lines, "", f"**Held.** {golden['claim']}", ""])


def _picture(document: Mapping[str, Any]) -> list[str]:
    steps = document["steps"]
    trigger = _trigger(document["trigger"])
    lines = ["flowchart LR", f"    s_{TRIGGER}{trigger}", *_inside(steps, None, "    ")]
    for link in document["links"]:
        source, port = link["from"], link.get("port")
        if source == TRIGGER:
            lines.append(f"    s_{TRIGGER} --> s_{link['to']}")
        elif port == BODY:
            lines.append(f"    s_{source}_{BODY} --> s_{link['to']}")
        else:
            port = port or _type(steps[source]).ports_of(steps[source]["config"])[0]
            lines.append(f'    s_{source} -->|"{_said(port)}"| s_{link["to"]}')
    for name, step in steps.items():
        lines += [f"    s_{name} -.->|{word}| {to}" for word, to in _reaches(name, steps)]
        if step.get("undo"):
            lines.append(f"    s_{step['undo']} -.->|undoes| s_{name}")
    return lines


def _trigger(trigger: Mapping[str, Any]) -> str:
    type_ = find_trigger(trigger["type"])
    about = _said(_written(trigger["config"]))
    return (
        "((Start))"
        if trigger["type"] == "manual"
        else f'(("{type_.title}<br><small>{about}</small>"))'
    )


def _inside(steps: Mapping[str, Any], scope: str | None, indent: str) -> Iterable[str]:
    """The steps that stand in a scope; those that contain steps are frames around them."""
    for name, step in steps.items():
        if step.get("in") != scope:
            continue
        if _type(step).behaviour is Behaviour.SCOPE:
            yield f'{indent}subgraph s_{name}["{_label(step)}"]'
            yield f'{indent}    s_{name}_{BODY}((" "))'
            yield from _inside(steps, name, indent + "    ")
            yield f"{indent}end"
        else:
            before, after = _shape(step)
            yield f"{indent}s_{name}{before}{_label(step)}{after}"


def _reaches(name: str, steps: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What a step does to others without a link: an arrow to a frame around itself is none."""
    config = steps[name]["config"]
    around = steps[name].get("in")
    match steps[name]["type"]:
        case "cancel":
            found = [("withdraws", one) for one in config["steps"]]
        case "add_items":
            found = [("adds items", config["to"])]
        case _:
            found = []
    for word, to in found:
        yield word, f"s_{to}_{BODY}" if to == around else f"s_{to}"


def _label(step: Mapping[str, Any]) -> str:
    type_ = _type(step)
    about = [type_.title, _written(step["config"])]
    if type_.behaviour is Behaviour.EFFECT:
        about = []
    rest = step["config"].get("rest")
    if step["config"].get("until") == "none":
        about.append("goes on at once")
    elif rest in _REST:
        about.append(_REST[rest])
    if step.get("lock"):
        about.append(f"one at a time: {step['lock']}")
    small = ", ".join(_said(one) for one in about if one)
    title = _said(step["title"])
    if type_.behaviour is Behaviour.SCOPE:  # the heading of a frame has but one line
        return f"{title}: {small}"
    return f"{title}<br><small>{small}</small>" if small else title


def _written(config: Mapping[str, Any]) -> str:
    """What a config says, as it is written, but for what the picture tells in another way."""
    return ", ".join(told for name, value in config.items() if (told := _part(name, value)))


def _part(name: str, value: Any) -> str:
    if name in {"title", "otherwise", "rest"} or (name == "until" and value == "none"):
        return ""
    if isinstance(value, Mapping):
        inner = _written(value)
        return f"{name}: {inner}" if inner else ""
    if isinstance(value, list):
        ways = [one for one in value if isinstance(one, Mapping)]
        if ways:
            return ", ".join(f"{one['when']} → {one['port']}" for one in ways if "when" in one)
        return f"{name} {', '.join(map(str, value))}"
    return f"{name} {value}"


def _shape(step: Mapping[str, Any]) -> tuple[str, str]:
    if _type(step).behaviour is Behaviour.WAIT:
        return _WAITS
    return _SHAPES.get(step["type"], _PLAIN)


def _type(step: Mapping[str, Any]) -> Any:
    return find(step["type"], step.get("version", 1))


def _said(text: str) -> str:
    """Text that the picture does not take for marks of its own."""
    for mark, said in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        text = text.replace(mark, said)
    return text


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def _story(trace: Iterable[str], steps: Mapping[str, Any]) -> list[str]:
    """The trace in short: what was done, withdrawn, swallowed, or came too late."""
    told: list[tuple[str, int]] = []
    for line in trace:
        for one in _told(line.split(), steps):
            if told and told[-1][0] == one:
                told[-1] = (one, told[-1][1] + 1)
            else:
                told.append((one, 1))
    return [one if times == 1 else f"{one} ({times} times)" for one, times in told]


def _told(words: list[str], steps: Mapping[str, Any]) -> Iterable[str]:
    type_, rest = words[0], words[1:]
    titles = {name: _in_cell(step["title"]) for name, step in steps.items()}
    who = titles.get(rest[0].partition("#")[0], "") if rest else ""
    match type_:
        case "step.completed":
            port = rest[2] if "by" in rest else ""
            by = "" if port in {"", "done"} else f" ({_in_cell(port.replace('+', ', '))})"
            swallowed = " (swallowed)" if "swallowed" in rest else ""
            yield f"{who}{by}{swallowed}"
        case "step.failed":
            yield f"{who} (fails)"
        case "step.blocked":
            yield f"{who} (waits for its turn)"
        case "work.withdrawn":
            gone = dict.fromkeys(one.partition("#")[0] for one in rest if "#" in one)
            yield f"*withdrawn: {', '.join(titles[one] for one in gone)}*"
        case "outcome.ignored":
            yield f"*{who} comes too late*"
        case "run.cancelled":
            yield "*cancelled*"


if __name__ == "__main__":
    PAGE.write_text(page())
