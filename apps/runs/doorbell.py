"""Ring for workers. A bell may be lost, doubled or late; the clock rings again.

At most one bell per queue is on its way: a marker in the broker's own store says so, cleared
by the task before its first claim, and gone by itself after a second.

A worker that has nothing left to do listens for a moment before it goes. A ring that finds one
listening wakes it, which is some ten times cheaper than a message.

A driver that is at work says so, for so long as a batch should take. A ring that finds it there
leaves a note, and it looks for one before it goes: one batch of two runs costs little more than
half of two batches of one, so a second driver beside it would make both slower. Where a note was
left it even waits a moment for company. A driver whose batch takes longer is taken to need help:
the next ring is a message again.
"""

import logging
import os
import threading
import time
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
#: Where one worker that is quick needs no second beside it.
LEFT_ALONE = {"drive"}
MARKER_MS = 1000
#: So long after its last word a driver is taken to be at work and quick.
AT_WORK_MS = 30
#: So long a driver that finds a note waits for what else comes.
COMPANY_S = 0.002

# Wakes who listens, on the list that it named, or leaves a note for who is at work; else says
# whether a message is to be sent.
_RING = """
local listener = redis.call('getdel', KEYS[1])
if listener then
  redis.call('rpush', listener, 1)
  redis.call('pexpire', listener, ARGV[1])
  if ARGV[3] ~= '0' then redis.call('set', KEYS[3], 1, 'px', ARGV[3]) end
  return 0
end
if ARGV[2] == '1' and redis.call('exists', KEYS[3]) == 1 then
  redis.call('set', KEYS[4], 1, 'px', ARGV[1])
  return 0
end
return redis.call('set', KEYS[2], 1, 'nx', 'px', ARGV[1]) and 1 or 0
"""
# The end of work: reads the note, or else begins to listen.
_LISTEN = """
if redis.call('getdel', KEYS[3]) then
  return 2
end
redis.call('del', KEYS[2])
return redis.call('set', KEYS[1], ARGV[1], 'nx', 'px', ARGV[2]) and 1 or 0
"""
# The end of work without listening.
_LEAVE = """
redis.call('del', KEYS[1])
return redis.call('getdel', KEYS[2]) and 1 or 0
"""
# Takes the word of one who listened away, unless a ring has.
_STOP = """
return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('del', KEYS[1]) or 0
"""

_NOTED = 2

_log = logging.getLogger(__name__)
# These connect to nothing: each call says where.
_ring = redis.Redis().register_script(_RING)
_listen = redis.Redis().register_script(_LISTEN)
_leave = redis.Redis().register_script(_LEAVE)
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
    """Ring in this thread; returns whether it will be heard. Never raises."""
    return _rung(queue, for_any=True)


def call_another(queue: str) -> bool:
    """Ring for one more, whoever is at work; returns whether it will be heard. Never raises."""
    return _rung(queue, for_any=False)


def _rung(queue: str, *, for_any: bool) -> bool:
    keys = [_listening(queue), f"bell:{queue}", _at_work(queue), _note(queue)]
    try:
        quick_ms = AT_WORK_MS if queue in LEFT_ALONE else 0
        if not _ring(keys, [MARKER_MS, int(for_any), quick_ms], client=store()):
            return True
        import_string(settings.CELERY_APP).send_task(
            TASKS[queue], queue=QUEUES.get(queue, queue), ignore_result=True, retry=False
        )
    except Exception as error:  # noqa: BLE001 - the sweep rings again
        _log.warning("bell for %s not rung: %s", queue, error)
        return False
    return True


def _listening(queue: str) -> str:
    return f"listening:{queue}"


def _at_work(queue: str) -> str:
    return f"at_work:{queue}"


def _note(queue: str) -> str:
    return f"note:{queue}"


def answered(queue: str) -> None:
    """The task has started: the next ring is a new bell, or a new note. Never raises."""
    try:
        store().delete(f"bell:{queue}", _note(queue))
    except redis.RedisError as error:
        _log.info("bell marker of %s not cleared: %s", queue, error)


def stay(queue: str) -> None:
    """This worker is at work, and will look for a note before it goes. Never raises."""
    try:
        store().set(_at_work(queue), 1, px=AT_WORK_MS)
    except redis.RedisError as error:
        _log.info("nobody is told of work on %s: %s", queue, error)


def leave(queue: str) -> None:
    """This worker goes; where a note was left for it, it rings for another. Never raises."""
    try:
        is_noted = _leave([_at_work(queue), _note(queue)], client=store())
    except redis.RedisError as error:
        _log.info("no note on %s is read: %s", queue, error)
        return
    if is_noted:
        ring_now(queue)


def is_rung(queue: str, *, within: float) -> bool:
    """Whether a note was left, or it is rung while listening for so many seconds. Never raises.

    One listens at a time, and stops being the one when it is rung for: whoever takes the key away
    has the word. So a ring between the last claim and the end of listening is never passed over.
    """
    name = f"woken:{queue}:{uuid4().hex}"
    try:
        client = store()
        milliseconds = int(within * 1000) + MARKER_MS
        keys = [_listening(queue), _at_work(queue), _note(queue)]
        found = _listen(keys, [name, milliseconds], client=client)
        if found == _NOTED:
            time.sleep(COMPANY_S)
            return True
        if not found:
            return False
        if client.blpop([name], timeout=within):
            return True
        return not _stop([_listening(queue)], [name], client=client)
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
