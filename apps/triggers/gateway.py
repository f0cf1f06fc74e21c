"""``POST /hooks/<workspace>/<path>``: verify, read, de-duplicate, store, answer 202.

Raw ASGI in front of Django, in the same process and on the same port, because it is the hot
path. One round trip for most calls: a statement that writes everything, if the address is as it
is remembered; else one more before it, for the trigger's row.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from apps.connections import masking
from apps.core.errors import NotFound, ProductError
from apps.core.models import uuid7
from apps.engine import values
from apps.runs import doorbell
from apps.runs.pressure import BACKLOG, LAG_S, SAMPLE_EVERY_S
from apps.triggers import addresses, answers, intake, listening, signatures
from apps.triggers.addresses import Address
from apps.triggers.answers import Reply
from apps.triggers.calls import (
    MAX_BODY,
    BadField,
    Call,
    Ready,
    make_ready,
    read_fields,
    stored_headers,
)
from apps.triggers.grouping import Groups
from apps.triggers.intake import Accepted, Stored
from apps.triggers.models import Verdict
from apps.triggers.waiting import Answer, Answers
from apps.triggers.wires import Unavailable, Wires, away

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
T = TypeVar("T")

PREFIX = "/hooks/"
#: Longer bodies are read in a thread, so that other calls do not wait; and much shorter ones where
#: they are held against a contract, which takes longer than reading.
INLINE, INLINE_HELD = 64 * 1024, 4 * 1024
#: An oversized body is read to its end up to here, so that its sender hears the answer.
DRAINED = 8 * MAX_BODY
BODY_S = 30.0
STORE_S = 1.8
#: How many groups of calls are read, and how many are written, at a time: two, so that one
#: connection that hangs does not hold up everybody.
AT_ONCE = 2
MOST_IN_FLIGHT = 500
MOST_HELD = 64 * MAX_BODY

_segment = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_ADDRESS = re.compile(
    rf"/hooks/([a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?)/({_segment}(?:/{_segment}){{0,4}})"
)
_log = logging.getLogger(__name__)


class BadHost(ProductError):
    """The call names a host that is not ours."""

    code = "bad_host"
    status = 400


class BadHeader(ProductError):
    """A header that cannot be stored."""

    code = "bad_header"
    status = 400


class MethodNotAllowed(ProductError):
    """Webhooks take POST alone."""

    code = "method_not_allowed"
    status = 405


class TooLarge(ProductError):
    """The body is over the limit."""

    code = "too_large"
    status = 413


class TooSlow(ProductError):
    """The body did not arrive in time."""

    code = "too_slow"
    status = 408


class Disconnected(Exception):
    """The caller went away before the answer was there."""


class Doubtful(Exception):
    """What is remembered of an address may not hold any more."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call on its way; its ids stay the same however often it is tried."""

    call: Call
    is_whole: bool
    run_id: UUID
    delivery_id: UUID
    #: Seconds of ``time.monotonic`` after which its caller has been told that it was not stored.
    give_up_at: float


@dataclass(frozen=True, slots=True)
class Taken:
    """A stored call; ``answer`` where its caller waits for the flow's, ``wait_s`` long."""

    run: Accepted
    answer: asyncio.Future[Answer] | None = None
    wait_s: int = 0


class Gateway:
    """The ASGI application of ``/hooks/``. Its connections belong to the loop it first runs in."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        #: Calls being stored, the bytes of their bodies, and bodies that are still arriving.
        self._in_flight = 0
        self._in_hand = 0
        self._arriving: dict[int, bytearray] = {}
        self._is_throttled = False
        self._sampled_at = 0.0
        self._noted: dict[UUID, int] = {}
        self._noted_since = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._open()
        try:
            reply = await self._answer(scope, receive)
        except ProductError as refused:
            reply = answers.problem(refused)
        except Disconnected:
            return
        except Exception:  # noqa: BLE001 - nobody else would answer the caller
            _log.exception("webhook call failed")
            reply = answers.fault()
        answers.given[reply.status] += 1
        await send(
            {"type": "http.response.start", "status": reply.status, "headers": reply.headers}
        )
        await send({"type": "http.response.body", "body": reply.body})

    async def close(self) -> None:
        """Let what is being stored finish, and close the connections."""
        if self._loop is not asyncio.get_running_loop():
            return
        await self._answers.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STORE_S)
        await self._wires.close()
        self._threads.shutdown(wait=False)
        self._loop = None

    def _open(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            # Two: more would only take the interpreter away from the loop.
            self._threads = ThreadPoolExecutor(2, thread_name_prefix="hooks")
            self._wires = Wires()
            self._hearing = asyncio.Semaphore(AT_ONCE)
            self._memory = addresses.Memory()
            self._answers = Answers(self._wires)
            self._addresses = Groups(
                partial(addresses.addresses_of, self._wires), at_once=AT_ONCE, hopeless=Unavailable
            )
            self._stores = Groups(
                partial(intake.store, self._wires), at_once=AT_ONCE, hopeless=Unavailable
            )

    async def _answer(self, scope: Scope, receive: Receive) -> Reply:
        headers = _headers(scope)
        if not is_our_host(headers.get("host", ""), tuple(settings.ALLOWED_HOSTS)):
            raise BadHost("The Host header names no host of this installation.")
        if scope["method"] != "POST":
            raise MethodNotAllowed("A webhook takes POST alone.", allow="POST")
        address = _ADDRESS.fullmatch(scope["path"])
        if address is None:
            return await self._hear(scope["path"], headers, scope, receive)
        self._keep_going()
        body = await self._body(headers, receive)
        call = Call(headers, scope.get("query_string", b""), body or b"")
        self._in_flight += 1
        self._in_hand += len(call.body)
        try:
            taken = await self._shielded(
                self._take(call, address[1], address[2], is_whole=body is not None)
            )
        finally:
            self._in_flight -= 1
            self._in_hand -= len(call.body)
        if taken.answer is None:
            return answers.accepted(taken.run)
        return await self._waited(taken.run, taken.answer, taken.wait_s, receive)

    async def _hear(
        self, path: str, headers: dict[str, str], scope: Scope, receive: Receive
    ) -> Reply:
        """A call to a draft's own address: kept as a sample, a few at a time."""
        token = listening.token_in(path)
        if token is None:
            raise no_webhook()
        self._keep_going()
        body = await self._body(headers, receive)
        call = Call(headers, scope.get("query_string", b""), body or b"")
        self._in_hand += len(call.body)
        try:
            async with self._hearing:
                heard = await asyncio.to_thread(
                    listening.hear, token, call, is_whole=body is not None
                )
        finally:
            self._in_hand -= len(call.body)
        return answers.heard(heard.sample_id)

    def _keep_going(self) -> None:
        """Refuse early what could not be stored in time anyway."""
        now = time.monotonic()
        if now - self._sampled_at > SAMPLE_EVERY_S:
            self._sampled_at = now
            self._background(self._sample())
        held = self._in_hand + sum(map(len, self._arriving.values()))
        if self._in_flight >= MOST_IN_FLIGHT or held > MOST_HELD:
            raise Unavailable(
                "Too many calls at once; this one was not stored. Send it again in a moment.",
                retry_after=1,
            )
        if self._is_throttled:
            raise Unavailable(
                "More work waits than is done; this call was not stored. Send it again later.",
                retry_after=15,
            )

    async def _sample(self) -> None:
        with suppress(Unavailable):
            age, backlog = await intake.lag(self._wires, backlog_from=LAG_S, most=BACKLOG)
            self._is_throttled = age > LAG_S and backlog >= BACKLOG

    async def _body(self, headers: dict[str, str], receive: Receive) -> bytes | None:
        """The body; None if it is too large (what came of it was passed over)."""
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > DRAINED:
            return None
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body: bytes = message.get("body", b"")
        if not message.get("more_body"):
            return body if len(body) <= MAX_BODY else None
        chunks = bytearray(body)
        self._arriving[id(chunks)] = chunks
        try:
            async with asyncio.timeout(BODY_S):
                return await self._rest(chunks, receive)
        except TimeoutError:
            raise TooSlow(
                f"The body took longer than {BODY_S:.0f} seconds; send it faster."
            ) from None
        finally:
            del self._arriving[id(chunks)]

    async def _rest(self, chunks: bytearray, receive: Receive) -> bytes | None:
        size, more = len(chunks), True
        while more and size <= DRAINED:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunk = message.get("body", b"")
            size += len(chunk)
            if size <= MAX_BODY:
                chunks += chunk
            more = message.get("more_body", False)
        return bytes(chunks) if size <= MAX_BODY else None

    async def _take(self, call: Call, slug: str, path: str, *, is_whole: bool) -> Taken:
        """Store the call, whoever still listens."""
        attempt = Attempt(call, is_whole, uuid7(), uuid7(), time.monotonic() + STORE_S)
        place = (slug, path)
        remembered = self._memory.recall(place)
        if remembered is not None:
            with suppress(Doubtful):
                return await self._try(attempt, remembered)
            self._memory.forget(place)
        address = await self._addresses.ask(place)
        if address is None:
            raise no_webhook()
        self._memory.keep(place, address)
        try:
            return await self._try(attempt, address)
        except Unavailable:
            raise
        except ProductError as refused:
            await self._note(call, address, Verdict.REFUSED, reason=refused.message)
            raise

    async def _try(self, attempt: Attempt, address: Address) -> Taken:
        """Judge the call by the address, and store it.

        Raises:
            Doubtful: The address is from memory, and the call would be refused, or is a repeat, or
                the address does not hold any more: read it and try again.
            ProductError: The call is refused.
        """
        try:
            ready = await self._judge(attempt, address)
        except ProductError as refused:
            if address.is_remembered:
                raise Doubtful from refused
            raise
        return await self._store(
            attempt.call,
            Stored(address, ready, attempt.run_id, attempt.delivery_id, attempt.give_up_at),
        )

    async def _judge(self, attempt: Attempt, address: Address) -> Ready:
        call = attempt.call
        if not attempt.is_whole:
            raise TooLarge(f"The body is larger than {MAX_BODY:,} bytes; send less.")
        given = call, address, attempt.run_id, attempt.delivery_id
        if len(call.body) <= (INLINE if address.contract is None else INLINE_HELD):
            return _judged(*given)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _judged, *given)

    async def _store(self, call: Call, stored: Stored) -> Taken:
        answer = None
        if stored.ready.wait_s and not stored.address.is_paused and self._answers.has_room:
            answer = await self._answers.expect(stored.run_id)
        try:
            if intake.may_share(stored):
                run = await self._stores.ask(stored)
            else:
                (run,) = await intake.store(self._wires, [stored])
            if run is None:
                raise Doubtful  # noqa: TRY301 - the answer that was expected is given up, too
        except BaseException:
            if answer is not None:
                answer.cancel()
            raise
        if run.is_repeat:
            await self._note(call, stored.address, Verdict.DUPLICATE, run_id=run.run_id)
        elif not run.is_held:
            doorbell.ring("drive")
        if answer is not None and (run.is_repeat or run.is_held):
            answer.cancel()
            answer = None
        return Taken(run, answer, stored.ready.wait_s)

    async def _note(
        self,
        call: Call,
        address: Address,
        verdict: Verdict,
        *,
        reason: str = "",
        run_id: UUID | None = None,
    ) -> None:
        if not self._may_note(address.trigger_id):
            return
        kept = stored_headers(call.headers, address.config)
        short = {name: value[: intake.NOTED_HEADER] for name, value in list(kept.items())[:50]}
        try:
            query = masking.mask_query(read_fields(call.query_string[:1000], "query"))
        except BadField:
            query = {}
        # That a refusal could not be written down does not change the refusal.
        with suppress(Unavailable):
            await intake.note(
                self._wires,
                address,
                verdict=verdict,
                headers=values.dumps(short),
                query=values.dumps(query),
                summary=f"{len(call.body)} bytes" if call.body else "",
                reason=reason,
                run_id=run_id,
            )

    def _may_note(self, trigger_id: UUID) -> bool:
        """A first, cheap bound; the statement holds the exact one across processes."""
        now = time.monotonic()
        if now - self._noted_since > 60:
            self._noted_since = now
            self._noted.clear()
        count = self._noted.get(trigger_id, 0)
        self._noted[trigger_id] = count + 1
        return count < intake.NOTED_PER_MINUTE

    async def _waited(
        self, run: Accepted, future: asyncio.Future[Answer], seconds: int, receive: Receive
    ) -> Reply:
        gone = asyncio.ensure_future(_until_disconnected(receive))
        either: set[asyncio.Future[Any]] = {future, gone}
        try:
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if future.done() and not future.cancelled():
                return answers.flow_answer(future.result())
            if gone.done():
                raise Disconnected
            return answers.accepted(run)
        finally:
            future.cancel()
            gone.cancel()

    async def _shielded(self, work: Coroutine[Any, Any, Taken]) -> Taken:
        """Run to the end even if the caller goes away; 503 if it takes longer than they wait."""
        task = self._background(work)
        done, _ = await asyncio.wait({task}, timeout=STORE_S)
        if not done:
            task.add_done_callback(_forget_wait)
            raise away()
        return task.result()

    def _background(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def no_webhook() -> NotFound:
    """What is said of an address that is unknown, disabled or another's: no difference."""
    return NotFound("There is no webhook at this address.")


@lru_cache(maxsize=256)
def is_our_host(host: str, allowed: tuple[str, ...]) -> bool:
    """Whether a Host header names one of the installation's hosts, as Django judges it."""
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, list(allowed))


def _judged(call: Call, address: Address, run_id: UUID, delivery_id: UUID) -> Ready:
    signatures.verify(
        address.config.signature,
        address.secrets,
        headers=call.headers,
        body=call.body,
        at=time.time(),
    )
    return make_ready(
        call,
        address.config,
        contract=address.contract,
        run_id=run_id,
        delivery_id=delivery_id,
        now=address.now,
        zone=address.zone,
    )


def _headers(scope: Scope) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if "\0" in value:
            raise BadHeader("A header holds a NUL character, which cannot be stored.")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _forget_wait(task: asyncio.Task[Taken]) -> None:
    """The caller was told 503 meanwhile; nobody waits for this any more."""
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        if not isinstance(error, ProductError):
            _log.error("webhook call failed after its time", exc_info=error)
        return
    answer = task.result().answer
    if answer is not None:
        answer.cancel()
