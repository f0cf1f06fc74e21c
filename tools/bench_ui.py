"""Measure what a person at the browser feels: ``make bench-ui ARGS="--only cold --rounds 3"``.

A stack of its own is started as people start it, given flows of 20, 200 and 500 steps, a run that
makes some fifty events a second, and the demo's open tasks; headless Chromium then opens, drags,
types and waits (``tools/bench_ui.mjs``). Every figure is the median of the rounds. A missed bar is
printed; the exit status is 1 only where something could not be measured or five times a bar is
broken, since machines differ.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.browsers import chromium
from tests.support.live import PASSWORD, LiveStack
from tools.bench_bars import Bar, judged, median_of
from tools.installing import npm_command
from tools.stub import Stub

ROOT = Path(__file__).resolve().parents[1]
OUT = Path(os.environ.get("SIGNALBOX_HOME") or ROOT / "var") / "bench"
#: What is measured, in the words of the table, with its bars.
MEASURES: dict[str, tuple[str, tuple[Bar, ...]]] = {
    "cold": (
        "cold load of the editor, 20 steps",
        (Bar("usable_ms", most=1500), Bar("main_kb_gz", most=300)),
    ),
    "large": (
        "500 steps, all in view and at 100 %",
        (
            Bar("fit_usable_ms", most=2000),
            Bar("fit_drag_p95_ms", most=32),
            Bar("fit_type_p95_ms", most=50),
            Bar("fit_theme_ms", most=300),
            Bar("full_usable_ms", most=2000),
            Bar("full_drag_p95_ms", most=32),
            Bar("full_type_p95_ms", most=50),
        ),
    ),
    "findings": ("findings after an edit, 200 steps", (Bar("findings_p50_ms", most=300),)),
    "live": (
        "run page under 50 events/s",
        (Bar("live_frame_p95_ms", most=32), Bar("live_missed", most=0)),
    ),
    "task": (
        "task page at 400 kbit/s and 400 ms",
        (
            Bar("task_html_css_kb", most=40),
            Bar("task_decidable_ms", most=2000),
            Bar("task_script_kb", most=150),
            Bar("task_blocking_scripts", most=0),
        ),
    ),
}
LIVE_SECONDS = 12
#: One item of the live run is a call that takes so long, and about eight entries of its journal.
#: Several at once: their waits overlap, so that the rate hangs little on how busy the machine is.
LIVE_ITEMS, LIVE_DELAY_MS, LIVE_PARALLEL = 240, 500, 5


def large_flow(count: int, *, wide: int) -> dict[str, Any]:
    """So many steps of every common kind, in rows, as a large flow of people looks."""
    steps: dict[str, Any] = {}
    links: list[dict[str, str]] = [{"from": "trigger", "to": "s0"}]
    layout: dict[str, list[int]] = {"trigger": [0, 0]}
    for at in range(count):
        name, last = f"s{at}", at == count - 1
        layout[name] = [(at % wide + 1) * 320, at // wide * 160]
        if last:
            steps[name] = {"type": "stop", "config": {}}
        elif at % 5 == 4:
            branches = [{"port": "large", "when": f"trigger.body.amount > {at}"}]
            steps[name] = {"type": "decide", "config": {"branches": branches, "otherwise": "small"}}
        else:
            fields = {"total": f"= trigger.body.amount + {at}", "mail": "= trigger.body.email"}
            steps[name] = {"type": "map", "config": {"fields": fields}}
        steps[name] |= {"version": 1, "title": f"Step {at}"}
        if not last and at % 5 == 4:
            links.append({"from": name, "port": "large", "to": f"s{at + 1}"})
            links.append({"from": name, "port": "small", "to": f"s{min(at + 3, count - 1)}"})
        elif not last:
            links.append({"from": name, "to": f"s{at + 1}"})
    path = f"bench-{count}"
    return {
        "format": "signalbox.flow/1",
        "name": f"{count} steps",
        "trigger": {"type": "webhook", "config": {"path": path}},
        "steps": steps,
        "links": links,
        "layout": layout,
        "settings": {},
    }


def live_flow(stub: str) -> dict[str, Any]:
    """A run that tells of some fifty things a second for as long as its list is."""
    call = {"method": "POST", "url": f"{stub}/{LIVE_DELAY_MS}", "body": {"n": "= item"}}
    items = f"for n in 1..{LIVE_ITEMS} return n"
    return {
        "format": "signalbox.flow/1",
        "name": "Fifty events a second",
        "trigger": {"type": "manual", "config": {"form": {"type": "object", "properties": {}}}},
        "steps": {
            "each": {
                "type": "for_each",
                "version": 1,
                "title": "Each",
                "config": {"items": items, "parallel": LIVE_PARALLEL},
            },
            "call": {
                "type": "http.request",
                "version": 1,
                "title": "Call",
                "in": "each",
                "config": call,
            },
        },
        "links": [
            {"from": "trigger", "to": "each"},
            {"from": "each", "port": "body", "to": "call"},
        ],
        "settings": {},
    }


class Door:
    """The public API as the builder uses it."""

    def __init__(self, stack: LiveStack) -> None:
        self.url = stack.url
        self.token = stack.manage("issue_token", "builder@demo.local").split()[-1]

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own port
            f"{self.url}/api/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                **headers,
            },
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null"), answer.headers

    def draw(self, document: Mapping[str, Any], *, publish: bool = False) -> str:
        """Make a flow of a document; its id."""
        flow, _ = self.call("POST", "flows/", {"name": document["name"]})
        _, headers = self.call("GET", f"flows/{flow['id']}/draft/")
        self.call("PUT", f"flows/{flow['id']}/draft/", document, **{"If-Match": headers["ETag"]})
        if publish:
            self.call("POST", f"flows/{flow['id']}/publish/", {"note": "bench"})
        return str(flow["id"])


def measure(stack: LiveStack, stub: str, only: list[str], rounds: int) -> dict[str, Any]:
    """What Chromium found: by measure the figures of every round."""
    door = Door(stack)
    flows = {"f20": door.draw(large_flow(20, wide=7)), "f200": door.draw(large_flow(200, wide=14))}
    flows["f500"] = door.draw(large_flow(500, wide=23))
    if "live" in only:
        flows["live"] = door.draw(live_flow(stub), publish=True)
    command, environ = npm_command()
    asked = {
        "url": stack.url,
        "password": PASSWORD,
        "token": door.token,
        "build": str(ROOT / "static" / "build"),
        "chromium": chromium(),
        "flows": flows,
        "items": LIVE_ITEMS,
        "live_s": LIVE_SECONDS,
        "only": only,
        "rounds": rounds,
    }
    done = subprocess.run(
        [*command, "exec", "--", "node", "tools/bench_ui.mjs"],
        cwd=ROOT,
        env={**os.environ, **environ},
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    return answer


def judge(found: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Each measure with its median and what became of its bars."""
    result = {}
    for name, rounds in found.items():
        whole = [one for one in rounds if "failed" not in one]
        median = median_of(whole) if whole else {}
        result[name] = {
            "title": MEASURES[name][0],
            "median": median,
            "bars": judged(MEASURES[name][1], median),
            "rounds": rounds,
        }
    return result


def table(result: Mapping[str, Any]) -> str:
    """The figures beside their bars, one bar a line."""
    where = f"commit {result['commit']}, {result['cores']} cores, Chromium {result['browser']}"
    lines = [f"{where}, load average before {result['load_average']}", ""]
    for one in result["measures"].values():
        loads = [turn["load_before"] for turn in one["rounds"]]
        lines.append(f"{one['title']} (median of {len(loads)}, load before {loads})")
        for bar in one["bars"]:
            verdict = "met" if bar["met"] else "BROKEN" if bar["broken"] else "missed"
            lines.append(f"  {verdict:<7} {bar['bar']:<32} {bar['figure']}")
        named = {bar["bar"].split()[0] for bar in one["bars"]} | {"load_before"}
        rest = {key: value for key, value in one["median"].items() if key not in named}
        if rest:
            lines.append("          " + ", ".join(f"{key} {value}" for key, value in rest.items()))
    return "\n".join(lines)


def main() -> int:
    """Measure, print the table, keep the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", default=",".join(MEASURES), help="measures, with commas")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    only = [name for name in given.only.split(",") if name]
    if not only or not set(only) <= set(MEASURES):
        parser.error(f"choose of {', '.join(MEASURES)}")
    if given.rounds < 1:
        parser.error("there is at least one round")
    if chromium() is None:
        print("There is no Chromium on this machine; name one in E2E_CHROMIUM.", file=sys.stderr)
        return 2
    load = [round(one, 2) for one in os.getloadavg()]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sb-bench-ui-") as folder, Stub() as stub:
        stack = LiveStack(Path(folder))
        try:
            print("starting a stack of its own …", flush=True)
            stack.start()
            answer = measure(stack, stub.url, only, given.rounds)
        finally:
            stack.stop()
    result = {
        "commit": _commit(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load_average": load,
        "seconds": round(time.monotonic() - began),
        "browser": answer["browser"],
        "measures": judge(answer["found"]),
    }
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"ui-{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}.json"
    path.write_text(json.dumps(result, indent=2), encoding="utf-8")
    print(f"\n{table(result)}\n\n{path}")
    bars = [bar for one in result["measures"].values() for bar in one["bars"]]
    return 1 if any(bar["figure"] is None or bar["broken"] for bar in bars) else 0


def _commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
