"""Ring for workers. A bell may be lost, doubled or late; the clock rings again.

At most one bell per queue is on its way: a marker in the broker's own store says so, cleared
by the task before its first claim, and gone by itself after a second.

A worker that has nothing left to do listens for a moment before it goes. A ring that finds one
listening wakes it, which is some ten times cheaper than a message.
"""

import logging
import os
import threading
from uuid import uuid4

import redis
from django.conf import settings
from django.utils.module_loading import import_string

TASKS = {
    "drive": "runs.drive",
    "effects": "runs.work_effects",
    "events": "triggers.match_events",
    "housekeeping": "operations.relay",
}
#: Bells that are heard where another queue's are.
QUEUES = {"events": "drive"}
MARKER_MS = 1000

# Wakes who listens, on the list that it named; else says whether a message is to be sent.
_RING = """
local listener = redis.call('getdel', KEYS[1])
if listener then
  redis.call('rpush', listener, 1)
  redis.call('pexpire', listener, ARGV[1])
  return 0
end
return redis.call('set', KEYS[2], 1, 'nx', 'px', ARGV[1]) and 1 or 0
"""
# Takes the word of one who listened away, unless a ring has.
_STOP = """
return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('del', KEYS[1]) or 0
"""

_log = logging.getLogger(__name__)
# These connect to nothing: each call says where.
_ring = redis.Redis().register_script(_RING)
_stop = redis.Redis().register_script(_STOP)
_wanted: set[str] = set()
_wake = threading.Event()
_owner_pid = 0
_lock = threading.Lock()
_client: redis.Redis | None = None
_client_pid = 0


def ring(queue: str) -> None:
    """Ask a background thread to ring; returns at once and never raises."""
    global _owner_pid  # noqa: PLW0603 - a forked child needs a thread of its own
    with _lock:
        _wanted.add(queue)
        if _owner_pid != os.getpid():
            _owner_pid = os.getpid()
            threading.Thread(target=_ring_all, name="doorbell", daemon=True).start()
    _wake.set()


def ring_now(queue: str) -> bool:
    """Ring in this thread; returns whether a bell is on its way. Never raises."""
    try:
        if not _ring([f"listening:{queue}", f"bell:{queue}"], [MARKER_MS], client=store()):
            return True
        import_string(settings.CELERY_APP).send_task(
            TASKS[queue], queue=QUEUES.get(queue, queue), ignore_result=True, retry=False
        )
    except Exception as error:  # noqa: BLE001 - the sweep rings again
        _log.warning("bell for %s not rung: %s", queue, error)
        return False
    return True


def answered(queue: str) -> None:
    """The task has started: the next ring is a new bell. Never raises."""
    try:
        store().delete(f"bell:{queue}")
    except redis.RedisError as error:
        _log.info("bell marker of %s not cleared: %s", queue, error)


def is_rung(queue: str, *, within: float) -> bool:
    """Listen for so many seconds. Never raises.

    One listens at a time, and stops being the one when it is rung for: whoever takes the key away
    has the word. So a ring between the last claim and the end of listening is never passed over.
    """
    name = f"woken:{queue}:{uuid4().hex}"
    try:
        client = store()
        milliseconds = int(within * 1000) + MARKER_MS
        if not client.set(f"listening:{queue}", name, nx=True, px=milliseconds):
            return False
        if client.blpop([name], timeout=within):
            return True
        return not _stop([f"listening:{queue}"], [name], client=client)
    except redis.RedisError as error:
        _log.info("no listening on %s: %s", queue, error)
        return False


def store() -> redis.Redis:
    """This process's connection to the broker's store."""
    global _client, _client_pid  # noqa: PLW0603 - connections do not survive a fork
    if _client is None or _client_pid != os.getpid():
        _client = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=0.5
        )
        _client_pid = os.getpid()
    return _client


def _ring_all() -> None:
    while True:
        _wake.wait()
        _wake.clear()
        with _lock:
            queues = set(_wanted)
            _wanted.clear()
        for queue in queues:
            ring_now(queue)
