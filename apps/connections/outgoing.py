"""The one door through which the product calls other hosts.

The name is resolved once; every address it has must be one of the open internet, or the
administrator's allow-list must name host and port; the connection goes to the address that was
checked, with Host and TLS name kept. So a name that changes its answer between check and use
gains nothing. Nothing here reads proxy settings from the environment.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urljoin, urlsplit
from uuid import UUID

from django.conf import settings

from apps.connections import addresses, queries, wire
from apps.connections.wire import Deadline

MAX_BYTES = 10 * 1024 * 1024
MAX_REDIRECTS = 3
CONNECT_S = 10.0
USER_AGENT = "Signalbox"

#: ``(host, port) -> addresses``; what tests put a lying one in place of.
Resolver = Callable[[str, int], list[str]]
#: ``(host, port) -> whether the allow-list names it``.
AllowList = Callable[[str, int], bool]

ErrorClass = Literal["transient", "permanent"]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_DEFAULT_PORT = {"http": 80, "https": 443}
# What may follow a redirect to another host: nothing in which a secret could stand.
_HARMLESS = frozenset({"accept", "accept-language", "user-agent"})
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})


class OutgoingError(Exception):
    """A call that brought no answer.

    ``sent`` says whether anything may have reached the other side; if so, nobody knows what it
    did with it. ``error_class`` says whether trying again can help.
    """

    error_class: ErrorClass = "permanent"

    def __init__(self, code: str, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.sent = sent


class Refused(OutgoingError):
    """Our own guard said no: the address, the scheme, a header."""


class ConnectFailed(OutgoingError):
    """The name has no address, nobody listens, the certificate is wrong, or it broke off."""

    error_class: ErrorClass = "transient"


class TimedOut(OutgoingError):
    """The time limit over everything, name look-up to last byte, is over."""

    error_class: ErrorClass = "transient"


class TooLarge(OutgoingError):
    """The answer is over 10 MB once decompressed."""


@dataclass(frozen=True)
class Answer:
    """What came back. ``headers`` have small names; repeated ones are joined by a comma."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    elapsed: float
    url: str


@dataclass(frozen=True)
class Target:
    """A checked place to call: where it is, under which name."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...] = ()

    @property
    def origin(self) -> tuple[str, str, int]:
        """What "the same host" means for credentials."""
        return self.scheme, self.host, self.port

    @property
    def host_header(self) -> str:
        """The name as the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORT[self.scheme] else f"{host}:{self.port}"


def system_resolver(host: str, port: int) -> list[str]:
    """All addresses of a name, from the machine's own resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in found))


def check_host(
    host: str,
    port: int,
    *,
    is_allowed: AllowList,
    own_ports: frozenset[int] = frozenset(),
    resolver: Resolver = system_resolver,
    deadline: Deadline | None = None,
) -> tuple[str, ...]:
    """The addresses to connect to, every one of them checked.

    For mail servers and the like too: connect to what is returned, never to the name again.

    Raises:
        Refused: An address is not one of the open internet and the allow-list does not name
            host and port.
        ConnectFailed: The name has no address.
        TimedOut: The look-up took longer than the deadline.
    """
    try:
        name = addresses.normal_host(host)
    except addresses.BadHost as bad:
        raise Refused("bad_host", str(bad)) from None
    fixed = addresses.literal(name)
    texts = (
        [str(fixed)] if fixed else _resolve(name, port, resolver, deadline or Deadline(CONNECT_S))
    )
    found = [ip_address(text.partition("%")[0]) for text in texts]
    if all(addresses.is_global(one) for one in found):
        return tuple(str(one) for one in found)
    # The product's own port stays shut even where the list names it: a flow that calls the
    # product from inside would come with the network's trust and no person behind it.
    if (
        port in own_ports
        or any(addresses.is_never_allowed(one) for one in found)
        or not is_allowed(name, port)
    ):
        raise Refused(
            "private_address",
            f"“{name}” is inside a private network. An administrator can put {name}:{port}"
            " on the list of allowed hosts, unless it is the product itself.",
        )
    return tuple(str(one) for one in found)


class OutgoingClient:
    """Calls other hosts for one workspace. Holds no connection, to nobody, between calls."""

    def __init__(
        self,
        workspace_id: UUID,
        own_ports: frozenset[int] | None = None,
        *,
        resolver: Resolver = system_resolver,
        is_allowed: AllowList | None = None,
    ) -> None:
        self.workspace_id = workspace_id
        self.own_ports = frozenset({settings.PORT}) if own_ports is None else own_ports
        self._resolver = resolver
        self._is_allowed = is_allowed or self._on_the_list

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        timeout_s: float = 30,
        follow_redirects: int = 0,
    ) -> Answer:
        """Send one request and read its whole answer, whatever its status.

        Args:
            method: Any HTTP method.
            url: http or https, without a user name in it.
            headers: One value each. Host, Content-Length and the like are ours to write.
            content: The body.
            timeout_s: Over everything: look-up, connection, every byte of every redirect.
            follow_redirects: How many, at most 3. Each is checked like the first address; only
                harmless headers go on to another host, and a body never does.

        Raises:
            Refused, ConnectFailed, TimedOut, TooLarge: See there; all are ``OutgoingError``.
        """
        if not _TOKEN.fullmatch(method) or method.upper() in {"CONNECT", "TRACE"}:
            raise Refused("bad_method", f"“{method[:20]}” is not a method that can be sent.")
        call = _Call(self, Deadline(timeout_s), method.upper(), dict(headers or {}), content)
        return call.run(url, min(follow_redirects, MAX_REDIRECTS))

    def check(self, url: str, deadline: Deadline) -> Target:
        """Where this leads, or a refusal."""
        target = parse(url)
        found = check_host(
            target.host,
            target.port,
            is_allowed=self._is_allowed,
            own_ports=self.own_ports,
            resolver=self._resolver,
            deadline=deadline,
        )
        return Target(target.scheme, target.host, target.port, target.path, found)

    def _on_the_list(self, host: str, port: int) -> bool:
        return queries.is_allowed_host(self.workspace_id, host, port)


def parse(url: str) -> Target:
    """Take an address apart.

    Raises:
        Refused: It is not http or https, names a user, or is not an address at all.
    """
    if any(ord(sign) <= 32 or ord(sign) == 127 for sign in url) or "\\" in url:
        raise Refused("bad_address", "The address holds a space, a line break or a backslash.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("bad_address", f"“{url[:100]}” is not a web address.") from None
    if port == 0:
        raise Refused("bad_address", "0 is not a port.")
    if parts.scheme not in _DEFAULT_PORT or not parts.hostname:
        raise Refused("bad_scheme", "Only http and https addresses can be called.")
    if "@" in parts.netloc:
        raise Refused("bad_address", "An address with a user name in it cannot be called.")
    try:
        host = addresses.normal_host(parts.hostname)
    except addresses.BadHost as bad:
        raise Refused("bad_host", str(bad)) from None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise Refused("bad_address", "Write letters beyond ASCII in the address as %-codes.")
    return Target(parts.scheme, host, port or _DEFAULT_PORT[parts.scheme], path)


class _Call:
    """One request on its way through its redirects."""

    def __init__(
        self,
        client: OutgoingClient,
        deadline: Deadline,
        method: str,
        headers: dict[str, str],
        content: bytes,
    ) -> None:
        self.client, self.deadline = client, deadline
        self.method, self.headers, self.content = method, headers, content
        self.sent = False
        self.started_at = time.monotonic()
        for name, value in headers.items():
            _check_header(name, value)

    def run(self, url: str, redirects: int) -> Answer:
        try:
            while True:
                target = self.client.check(url, self.deadline)
                answer = self._once(target, url)
                onward = _onward(answer)
                if onward is None or redirects == 0:
                    return answer
                redirects -= 1
                url = self._follow(target, answer.status, urljoin(url, onward))
        except OutgoingError as error:
            error.sent = error.sent or self.sent
            raise
        except TimeoutError:
            raise TimedOut(
                "timed_out", "The other side did not answer within the time limit.", sent=self.sent
            ) from None

    def _follow(self, target: Target, status: int, url: str) -> str:
        onward = parse(url)
        if target.scheme == "https" and onward.scheme == "http":
            raise Refused("redirect_downgrade", "The answer leads from https to plain http.")
        if status == 303 or (status in {301, 302} and self.method == "POST"):
            self.method, self.content = ("HEAD" if self.method == "HEAD" else "GET"), b""
            self.headers = {
                name: value
                for name, value in self.headers.items()
                if not name.lower().startswith("content-")
            }
        if onward.origin != target.origin:
            if self.content:
                raise Refused(
                    "redirect_with_body", "The answer leads to another host with our data."
                )
            self.headers = {
                name: value for name, value in self.headers.items() if name.lower() in _HARMLESS
            }
        return url

    def _once(self, target: Target, url: str) -> Answer:
        connection = wire.Pinned(target.host, target.port, self._connect(target))
        try:
            raw = connection.exchange(
                self.method, target.path, self._head(target), self.content, self._note_sent
            )
            headers: dict[str, str] = {}
            for name, value in raw.getheaders():
                known = headers.get(name.lower())
                headers[name.lower()] = value if known is None else f"{known}, {value}"
            content = wire.read_body(raw, MAX_BYTES)
            elapsed = time.monotonic() - self.started_at
            return Answer(raw.status, headers, content, elapsed, url)
        except wire.TooLong:
            raise TooLarge("too_large", "The answer is larger than 10 MB.") from None
        except wire.UnknownCoding as coding:
            raise ConnectFailed(
                "bad_answer",
                f"The answer is packed as “{str(coding)[:40]}”, which was not asked for.",
            ) from None
        except TimeoutError:
            raise
        except (http.client.HTTPException, OSError, zlib.error) as error:
            raise ConnectFailed(
                "broken_off", f"The other side broke off ({type(error).__name__})."
            ) from None
        finally:
            connection.close()

    def _connect(self, target: Target) -> wire.TimedSocket | wire.TimedTLSSocket:
        sock = self._first_open(target)
        if target.scheme == "http":
            return sock
        try:
            return wire.wrap_tls(sock, target.host, self.deadline)
        except TimeoutError:
            sock.close()
            raise
        except ssl.SSLCertVerificationError as error:
            sock.close()
            failed = ConnectFailed(
                "bad_certificate",
                f"“{target.host}” did not prove who it is: {error.verify_message}.",
            )
            failed.error_class = "permanent"
            raise failed from None
        except OSError as error:
            sock.close()
            raise ConnectFailed(
                "tls_failed", f"“{target.host}” does not speak TLS ({type(error).__name__})."
            ) from None

    def _first_open(self, target: Target) -> wire.TimedSocket:
        last: OSError | None = None
        for address in target.addresses:
            # Others get their turn only where the whole limit leaves one.
            self.deadline.remaining()
            try:
                return wire.connect(address, target.port, self.deadline, CONNECT_S)
            except OSError as error:
                last = error
        if isinstance(last, TimeoutError):
            self.deadline.remaining()
        reason = (last.strerror if last else "") or "no answer"
        raise ConnectFailed(
            "unreachable", f"Nobody answers at {target.host}, port {target.port}: {reason}."
        )

    def _head(self, target: Target) -> list[tuple[str, str]]:
        given = {name.lower() for name in self.headers}
        head = [("Host", target.host_header), ("Connection", "close")]
        head.append(("Accept-Encoding", "gzip, deflate"))
        if "user-agent" not in given:
            head.append(("User-Agent", USER_AGENT))
        if "accept" not in given:
            head.append(("Accept", "*/*"))
        if self.content or self.method in {"POST", "PUT", "PATCH"}:
            head.append(("Content-Length", str(len(self.content))))
        return head + [
            (name, value) for name, value in self.headers.items() if name.lower() not in _OURS
        ]

    def _note_sent(self) -> None:
        self.sent = True


def _check_header(name: str, value: str) -> None:
    if not _TOKEN.fullmatch(name) or any(sign in value for sign in "\r\n\0"):
        raise Refused("bad_header", f"The header “{name[:60]}” holds a line break or an odd sign.")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise Refused(
            "bad_header", f"The header “{name[:60]}” holds letters that no header can carry."
        ) from None


def _onward(answer: Answer) -> str | None:
    if answer.status not in {301, 302, 303, 307, 308}:
        return None
    return answer.headers.get("location")


def _resolve(host: str, port: int, resolver: Resolver, deadline: Deadline) -> list[str]:
    """Ask the resolver in a thread of its own: the system's cannot be told a time limit."""
    found: list[str] = []
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            found.extend(resolver(host, port))
        except BaseException as error:  # noqa: BLE001 - raised again below, in the asking thread
            failed.append(error)

    thread = threading.Thread(target=ask, name="resolve", daemon=True)
    thread.start()
    thread.join(deadline.remaining())
    if thread.is_alive():
        raise TimedOut("timed_out", f"The address of “{host}” was not found within the time limit.")
    if failed and not isinstance(failed[0], OSError | UnicodeError):
        raise failed[0]
    if failed or not found:
        raise ConnectFailed("unknown_host", f"There is no host “{host}”.")
    return found
