"""How long ``check`` takes: ``python tools/bench_check.py [STEPS]``. The bar is 300 ms for 200."""

import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def large_document(steps: int) -> dict[str, Any]:
    """A flow of five kinds of steps in a row, with expressions that nobody has compiled before."""
    made: dict[str, Any] = {}
    links: list[dict[str, str]] = []
    before, port = "trigger", ""
    for index in range(steps - 1):
        step_id = f"step_{index}"
        made[step_id], leaves, aside = _step(index, before)
        links.append({"from": before, "to": step_id, **({"port": port} if port else {})})
        links += [{"from": step_id, "port": one, "to": "end"} for one in aside]
        before, port = step_id, leaves
    made["end"] = {"type": "stop", "version": 1, "title": "End", "config": {}}
    links.append({"from": before, "to": "end", **({"port": port} if port else {})})
    return {
        "format": "signalbox.flow/1",
        "name": "Large",
        "trigger": {"type": "webhook", "config": {"path": "large", "dedupe": "trigger.body.id"}},
        "steps": made,
        "links": links,
        "settings": {"owner": "ops@example.com", "risk": "low"},
        "layout": {step_id: [240 * at, 80] for at, step_id in enumerate(made)},
    }


def _step(index: int, before: str) -> tuple[dict[str, Any], str, list[str]]:
    earlier = (
        f"steps.{before}.output" if before != "trigger" and index % 5 == 1 else "trigger.body.rows"
    )
    configs: list[tuple[str, dict[str, Any], str, list[str]]] = [
        (
            "map",
            {"fields": {f"f{n}": f"= trigger.body.a{n} + {index} * {n}" for n in range(5)}},
            "",
            [],
        ),
        (
            "decide",
            {
                "branches": [
                    {"port": "large", "when": f"trigger.body.amount > {index}"},
                    {"port": "small", "when": f"count({earlier}) = {index} and trigger.body.ok"},
                ],
                "otherwise": "none",
            },
            "large",
            ["small", "none"],
        ),
        (
            "approval",
            {
                "title": f'= "Approve {index}: " + trigger.body.name',
                "assignees": {"groups": ["finance"]},
                "rule": {"n": 2},
                "due": "P2D",
                "fields": [{"label": "Amount", "value": f"= trigger.body.amount + {index}"}],
            },
            "approved",
            ["rejected", "timeout"],
        ),
        (
            "http.request",
            {
                "method": "POST",
                "url": f"https://api.example.com/{index}",
                "headers": {"Authorization": {"secret": "api", "prefix": "Bearer "}},
                "body": {"id": "= trigger.body.id", "n": index, "at": f"= now() + {index}"},
            },
            "done",
            ["error"],
        ),
        ("delay", {"for": "PT5M"}, "", []),
    ]
    kind, config, leaves, aside = configs[index % 5]
    return (
        {"type": kind, "version": 1, "title": f"Step {index}", "config": config},
        leaves,
        aside,
    )


def measure(steps: int, rounds: int = 15) -> tuple[float, float]:
    """Milliseconds of the first check in a process, and the median of later ones."""
    from apps.steps.check import check_document

    took = []
    for _ in range(rounds):
        document = large_document(steps)
        started = time.perf_counter()
        check_document(document)
        took.append((time.perf_counter() - started) * 1000)
    return took[0], statistics.median(took[1:])


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    first, later = measure(count)
    print(f"{count} steps: first {first:.1f} ms, then {later:.1f} ms")
