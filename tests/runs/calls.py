"""A flow that calls a server of the test, and what is asked of its effects."""

import threading
import time
from datetime import timedelta

from apps.core import clock
from apps.runs import effect_claims, effects
from apps.runs.drive import drive_all
from apps.runs.models import Effect
from tests.runs.support import document


def calling(port, *, links=(), **config):
    return document(
        {
            "call": {
                "type": "http.request",
                "config": {
                    "url": f"http://127.0.0.1:{port}/orders",
                    "body": {"n": "= trigger.body.n"},
                    "retry": {"max_attempts": 3, "first_delay_s": 0},
                    **config,
                },
            },
            "after": {"type": "map", "config": {"fields": {"s": "= steps.call.output.status"}}},
            "mend": {"type": "map", "config": {"fields": {"code": "= steps.call.error.code"}}},
        },
        ["trigger -> call", "call.done -> after", *links],
    )


def started(bench, doc, body=None):
    run_id = bench.start(bench.publish(doc), body or {"n": 1})
    drive_all()
    return run_id


def claimed() -> effect_claims.Claimed:
    """The next effect, which there is."""
    effect = effects.claim()
    assert effect is not None
    return effect


def header(request, name):
    for line in request.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]:
        key, _, value = line.partition(": ")
        if key.lower() == name.lower():
            return value
    return None


def bytes_of(request):
    return request.split(b"\r\n\r\n", 1)[1]


def error_of(run_id):
    from apps.runs.models import Run

    run = Run.objects.get(pk=run_id)
    assert run.status == "failed"
    return run.error


def lose_lease(**fields):
    """What a worker's death looks like from outside, half a minute later."""
    Effect.objects.filter(status="running").update(
        lease_until=clock.now() - timedelta(seconds=1), **fields
    )
    assert effects.expire_leases() == 1


def wait_until(holds, seconds=20.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        threading.Event().wait(0.02)
