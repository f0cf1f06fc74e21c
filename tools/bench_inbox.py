"""The inbox with 100,000 open tasks: its page, its badge, deciding, and what a rights check costs.

``make bench ARGS="--signals 100 --clients 1 --decisions 1 --scenarios inbox"``; ``inbox-small``
is the same with 1,000. One person has all of them through a group, another has three by name. The
open ones are filled in by ``tools.seeding_inbox``; what is decided came through the webhook.
"""

import json
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tools import seeding_inbox
from tools.bench_bars import Bar, Scenario
from tools.bench_scenarios import PATIENCE, Bench, flow, fresh, send

TIMES = 40
CLIENTS = 4
#: In the process of the product: the person behind a token, and what they may do to a flow.
_RIGHTS = """
import json, time
from apps.accounts.models import User
from apps.accounts.permissions import has_right
from apps.accounts.queries import actor_of_user
from apps.flows.models import Flow
user, flow = User.objects.get(email="approver@demo.local"), Flow.objects.first()
took = []
for _ in range(200):
    began = time.perf_counter()
    actor = actor_of_user(user, flow.workspace_id)
    has_right(actor, "task.decide")
    has_right(actor, "run.view", flow.pk)
    took.append((time.perf_counter() - began) * 1000)
print(json.dumps(sorted(took)[int(len(took) * 0.95) - 1]))
"""


def asking(name: str, **assignees: Any) -> dict[str, Any]:
    """A flow that asks with a number among the facts, and goes one step on."""
    hop = {"type": "map", "config": {"fields": {"ok": True}}}
    asked = {
        "title": "Asked",
        "assignees": {"users": [], "groups": [], **assignees},
        "rule": {"any": 1},
        "due": None,
        "fields": [
            {"label": "Amount", "value": "= trigger.body.id"},
            {"label": "Vendor", "value": "Acme GmbH"},
        ],
    }
    links = [("trigger", "", "ask"), ("ask", "approved", "yes"), ("ask", "rejected", "no")]
    steps = {"ask": {"type": "approval", "config": asked}, "yes": hop, "no": hop}
    late = {"type": "stop", "config": {"outcome": "failed", "message": "late"}}
    return flow(name, {**steps, "late": late}, [*links, ("ask", "timeout", "late")], risk="low")


def inbox(bench: Bench, *, count: int = 100_000, decisions: int = 1000) -> dict[str, Any]:
    """Fill in, look at the lists of both people, then decide."""
    few = bench.token_of("viewer@demo.local")
    group, named = fresh("inbox"), fresh("inbox-named")
    bench.publish(asking(group, groups=["approver"]))
    bench.publish(asking(named, users=["viewer@demo.local"]))
    send(bench, group, 1)
    send(bench, named, 3)
    original = _waiting(bench, group, 1)[0]
    _waiting(bench, named, 3)
    began = time.monotonic()
    seeding_inbox.fill(bench.database, original, count - 1)
    filled = time.monotonic() - began
    people = {"many": bench.approver, "few": few}
    pages = {name: _times(bench, "tasks/?limit=50", token) for name, token in people.items()}
    badges = {name: _times(bench, "tasks/count/", token) for name, token in people.items()}
    views = {
        view: _times(bench, f"tasks/?limit=50&view={view}", bench.approver, 5)
        for view in ("mine", "groups", "delegated", "overdue", "done")
    }
    counts = _times(bench, "tasks/counts/", bench.approver, 5)
    search = _times(bench, "tasks/?limit=50&search=zebra", bench.approver, 3)
    one = _times(bench, f"tasks/{original}/", bench.approver, 10)
    return {
        "open": bench.query("select count(*) n from inbox_usertask where status = 'open'")["n"],
        "filling_s": round(filled, 1),
        "page_ms": max(pages.values()),
        "badge_ms": max(badges.values()),
        "pages_ms": pages,
        "badges_ms": badges,
        "views_ms": views,
        "counts_ms": counts,
        "search_without_a_hit_ms": search,
        "task_ms": one,
        "rights_check_ms": round(
            float(json.loads(bench.stack.manage("shell", "-c", _RIGHTS).splitlines()[-1])), 2
        ),
        **_next_step(bench, 100),
        **_rate(bench, decisions),
    }


def _waiting(bench: Bench, name: str, count: int) -> list[str]:
    """The ids of the tasks of a flow, once so many are open."""
    until = time.monotonic() + PATIENCE
    sql = (
        "select coalesce(json_agg(t.id::text order by t.id), '[]') ids from inbox_usertask t"
        " join flows_flow f on f.id = t.flow_id where f.name = %s and t.status = 'open'"
    )
    while time.monotonic() < until:
        found: list[str] = bench.query(sql, name)["ids"]
        if len(found) >= count:
            return found
        time.sleep(0.2)
    raise TimeoutError(f"{count} tasks of {name} did not open")


def _times(bench: Bench, path: str, token: str, times: int = TIMES) -> float:
    """The time that 95 of 100 calls did not exceed, in milliseconds."""
    bench.call("GET", path, token=token)
    took = []
    for _ in range(times):
        began = time.perf_counter()
        bench.call("GET", path, token=token)
        took.append((time.perf_counter() - began) * 1000)
    return round(sorted(took)[max(0, int(times * 0.95) - 1)], 1)


def _decide(bench: Bench, task: str) -> None:
    shown, _ = bench.call("GET", f"tasks/{task}/", token=bench.approver)
    sent = {"outcome": "approved", "comment": "bench", "seen": shown["seen"]}
    bench.call("POST", f"tasks/{task}/decide/", sent, token=bench.approver)


def _next_step(bench: Bench, count: int) -> dict[str, float]:
    """From sending a decision to the step behind it having run, one after the other."""
    name = fresh("inbox-next")
    bench.publish(asking(name, groups=["approver"]))
    send(bench, name, count)
    took = []
    for task in _waiting(bench, name, count):
        run = bench.query("select run_id::text from inbox_usertask where id = %s", task)["run_id"]
        began = time.time()
        decision = {"outcome": "approved", "comment": "bench"}
        bench.call("POST", f"tasks/{task}/decide/", decision, token=bench.approver)
        ended: float | None = None
        until = time.monotonic() + 30
        while ended is None and time.monotonic() < until:
            ended = bench.query(
                "select extract(epoch from finished_at)::float8 at from run where id = %s", run
            )["at"]
        took.append(((ended or time.time()) - began) * 1000)
    took.sort()
    return {
        "next_step_p50_ms": round(statistics.median(took), 1),
        "next_step_p95_ms": round(took[int(len(took) * 0.95) - 1], 1),
    }


def _rate(bench: Bench, count: int) -> dict[str, float]:
    """Decisions in a minute by several clients, each with reading the task before."""
    name = fresh("inbox-rate")
    bench.publish(asking(name, groups=["approver"]))
    send(bench, name, count)
    tasks = _waiting(bench, name, count)
    failed, lock = [0], threading.Lock()

    def one(task: str) -> None:
        try:
            _decide(bench, task)
        except OSError:
            with lock:
                failed[0] += 1

    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(one, tasks))
    return {
        "decisions_a_minute": round(count / (time.monotonic() - began) * 60),
        "decisions_refused": failed[0],
    }


_BARS = (
    Bar("page_ms", most=150),
    Bar("badge_ms", most=20),
    Bar("next_step_p95_ms", most=150),
    Bar("decisions_a_minute", least=1000),
    Bar("decisions_refused", most=0),
    Bar("rights_check_ms", most=2),
)

SCENARIOS: dict[str, Scenario] = {
    "inbox": Scenario(
        lambda bench, _: inbox(bench), (Bar("open", least=100_000), *_BARS), whole=True
    ),
    "inbox-small": Scenario(
        lambda bench, _: inbox(bench, count=1000, decisions=200), _BARS, whole=True
    ),
}
