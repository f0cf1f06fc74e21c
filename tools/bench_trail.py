"""The trail with a million rows: how long a check of it takes, and a search.

``make bench ARGS="--signals 100 --clients 1 --decisions 1 --scenarios trail"``. The rows are filled
in by ``tools.seeding_trail``; the product seals them, checks them and searches them.
"""

import json
import time
from typing import Any
from urllib.parse import quote

from config.stack.places import Places
from tools import seeding_trail
from tools.bench_bars import Bar, Scenario
from tools.bench_scenarios import Bench

#: Seconds for the clock to seal a million rows.
PATIENCE = 1800
TIMES = 20

_PERSON, _OTHER, _FLOW = (seeding_trail.uuid_of(*one) for one in ((1, 7), (1, 8), (2, 3)))
_DAY = "from={day}&to={day}"

#: What is searched for: each filter alone and together, with much, little and nothing to find.
SEARCHES = {
    "newest": "",
    "person": f"actor={_PERSON}",
    "person by name": "actor=person17",
    "verb": "verb=flow.publish",
    "noun": "verb=member.",
    "noun that never was": "verb=weather.",
    "target": "target=vendor:v77",
    "target by name": "target=vendor 77",
    "kind of target": "target=vendor:",
    "flow": f"flow={_FLOW}",
    "time": _DAY,
    "correlation": "correlation=m1234",
    "rare word": "search=t4711",
    "common word": "search=ticket",
    "beginning of a word": "search=t47",
    "word that is not there": "search=zebra",
    "common and rare word": "search=ticket t4711",
    "three words": "search=person17 t4711 batch",
    "person and verb": f"actor={_PERSON}&verb=flow.grant",
    "person and flow": f"actor={_OTHER}&flow={_FLOW}",
    "person, flow and verb": f"actor={_OTHER}&flow={_FLOW}&verb=task.decide",
    "flow and verb, nothing": f"flow={_FLOW}&verb=secret.set",
    "flow and time": f"flow={_FLOW}&{_DAY}",
    "verb and time": f"verb=flow.publish&{_DAY}",
    "verb and word": "verb=flow.publish&search=t4711",
    "name, verb and time": f"actor=person17&verb=secret.set&{_DAY}",
    "person, verb and target": f"actor={_PERSON}&verb=flow.publish&target=vendor:v1",
}


def trail(bench: Bench, *, count: int = 1_000_000) -> dict[str, Any]:
    """Fill in, have it sealed, check all of it, search it."""
    workspace = str(bench.query("select id from accounts_workspace where slug = 'demo'")["id"])
    key = (Places(bench.stack.home.resolve()).home / "keys" / "signing_key").read_text().strip()
    held = bench.query("select count(*) n from audit_event")["n"]
    began = time.monotonic()
    seeding_trail.fill(bench.database, workspace, count - held, signing_key=key)
    filled = time.monotonic()
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and bench.query("select count(*) n from audit_unsealed")["n"]:
        time.sleep(1)
    sealed = time.monotonic()
    seeding_trail.tidy(bench.database)
    checks = [_check(bench) for _ in range(bench.rounds)]
    searched = {name: _search(bench, query) for name, query in SEARCHES.items()}
    slowest = max(searched, key=lambda name: searched[name])
    return {
        "rows": bench.query("select count(*) n from audit_event")["n"],
        "filling_s": round(filled - began, 1),
        "sealing_s": round(sealed - filled, 1),
        "verify_s": sorted(one["seconds"] for one in checks)[len(checks) // 2],
        "verify_problems": max(len(one["problems"]) for one in checks),
        "verifies_s": [one["seconds"] for one in checks],
        "search_ms": searched[slowest],
        "slowest_search": slowest,
        "page_ms": _pages(bench),
        "searches_ms": searched,
    }


def _check(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bench.stack.manage("audit_verify", "--json", seconds=1800))
    return found


def _search(bench: Bench, query: str) -> float:
    """The time that 95 of 100 calls did not exceed, in milliseconds."""
    day = bench.query("select to_char(now() - interval '1 day', 'YYYY-MM-DD') d")["d"]
    path = "audit/?limit=50&" + quote(query.format(day=day), safe="=&:,.-")
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        bench.call("GET", path, token=bench.admin)
        took.append((time.perf_counter() - began) * 1000)
    return round(sorted(took)[int(TIMES * 0.95) - 1], 1)


def _pages(bench: Bench) -> float:
    """The slowest of the first pages of a long list, each asked for with the cursor before."""
    path, slowest = "audit/?limit=200&verb=flow.", 0.0
    for _ in range(20):
        began = time.perf_counter()
        page, _ = bench.call("GET", path, token=bench.admin)
        slowest = max(slowest, (time.perf_counter() - began) * 1000)
        path = page["next"].partition("/api/v1/")[2]
    return round(slowest, 1)


SCENARIOS: dict[str, Scenario] = {
    "trail": Scenario(
        lambda bench, _: trail(bench),
        (
            Bar("rows", least=1_000_000),
            Bar("verify_s", most=60),
            Bar("verify_problems", most=0),
            Bar("search_ms", most=500),
            Bar("page_ms", most=500),
        ),
        whole=True,
    )
}
