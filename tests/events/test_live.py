"""Events through the running product: published outside, matched by workers, soon and surely."""

import json
import time
import urllib.request

import pytest

from tests.events.support import BY_ORDER, document, waiting
from tests.support import database
from tests.support.live import LiveStack, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ANSWERING = document(
    {
        "tell": {
            "type": "emit",
            "config": {
                "type": "order.answered",
                "data": '= {order: trigger.body.order, says: "yes to " + trigger.event.subject}',
            },
        }
    },
    ["trigger -> tell"],
    trigger={"type": "event", "config": {"type": "order.asked", "filter": "event.data.order > 0"}},
)


@pytest.fixture(scope="module")
def stack():
    running = LiveStack(database.folder() / "events")
    try:
        running.start()
        yield running
    finally:
        running.stop()


def publish(stack, token, doc):
    flow = stack.call("POST", "flows/", token, {"name": "Events"})["id"]
    request = urllib.request.Request(
        f"{stack.url}/api/v1/flows/{flow}/draft/",
        method="PUT",
        data=json.dumps(doc).encode(),
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "If-Match": '"1"',
        },
    )
    urllib.request.urlopen(request, timeout=30).close()
    stack.call("POST", f"flows/{flow}/publish/", token, {"note": ""})
    return flow


def test_an_event_goes_from_flow_to_flow_and_wakes_who_waits(stack):
    token = stack.manage("issue_token", "builder@demo.local").split()[-1]
    publish(stack, token, ANSWERING)
    flow = publish(stack, token, waiting("order.answered", **BY_ORDER))
    runs = [
        stack.call("POST", f"flows/{flow}/runs/", token, {"input": {"order": order}})["id"]
        for order in (1, 2, 3)
    ]

    def run(run_id):
        return stack.call("GET", f"runs/{run_id}/", token)

    until(lambda: all(run(one)["status"] == "waiting" for one in runs))
    [reason] = run(runs[1])["waiting_for"]
    assert (reason["kind"], reason["type"], reason["key"]) == ("event", "order.answered", 2)
    began = time.monotonic()
    sent = {
        "specversion": "1.0",
        "id": "1",
        "source": "shop",
        "type": "order.asked",
        "subject": "you",
        "data": {"order": 2},
    }
    stack.call("POST", "events/", token, sent)
    until(lambda: run(runs[1])["status"] == "completed", 20)
    took = time.monotonic() - began

    assert run(runs[1])["steps"]["note"]["output"] == {"got": {"order": 2, "says": "yes to you"}}
    assert [run(one)["status"] for one in (runs[0], runs[2])] == ["waiting", "waiting"]
    depths = [one["depth"] for one in stack.call("GET", "events/", token)["results"]]
    assert depths == [2, 1]
    assert took < 15
    assert "all is well" in stack.manage("check_runs")
