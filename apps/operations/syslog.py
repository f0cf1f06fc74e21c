"""Lines for a system log: as RFC 5424 writes them, over UDP, TCP or TLS.

A system log gives no answer. Over TCP and TLS a batch counts as taken when the other side has
closed the connection after our end of it: a receiver that dies with lines unread resets it
instead. UDP tells nothing, so what is sent counts as taken.

Source: RFC 5424 (the line), RFC 5426 (UDP), RFC 6587, 3.4.1 and RFC 5425 (frames over TCP, TLS).
"""

import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from apps.audit.format import time_text
from apps.connections import wire
from apps.connections.outgoing import (
    AllowList,
    ConnectFailed,
    Refused,
    Resolver,
    TimedOut,
    check_host,
    system_resolver,
)
from apps.connections.wire import Deadline

__all__ = ["Line", "Severity", "framed", "send_lines", "written"]

#: A datagram that passes through most networks whole, if in pieces.
MAX_DATAGRAM: Final = 8_192
CONNECT_S: Final = 5.0
LOG_AUDIT: Final = 13
Severity = int
WARNING, NOTICE, INFO = 4, 5, 6

_ODD = re.compile(r"[^!-~]")


@dataclass(frozen=True)
class Line:
    """One line to be: when it was, what it is called, what it says in ASCII."""

    at: datetime
    name: str
    text: str
    severity: Severity = INFO


def written(line: Line) -> bytes:
    """The line as RFC 5424 has it, without a frame."""
    host = _ODD.sub("", urlsplit(settings.PUBLIC_URL).hostname or "")[:255] or "-"
    name = _ODD.sub("", line.name)[:32] or "-"
    priority = LOG_AUDIT * 8 + line.severity
    head = f"<{priority}>1 {time_text(line.at)} {host} signalbox - {name} - "
    return (head + line.text).encode("ascii", "backslashreplace")


def framed(line: bytes) -> bytes:
    """The line behind the number of its bytes, so that nothing in it can end it."""
    return b"%d %s" % (len(line), line)


def send_lines(
    kind: str,
    host: str,
    port: int,
    lines: Sequence[bytes],
    *,
    is_allowed: AllowList,
    timeout_s: float,
    resolver: Resolver = system_resolver,
) -> None:
    """Send lines to a system log. ``kind``: ``syslog_udp``, ``syslog_tcp`` or ``syslog_tls``.

    Raises:
        Refused, ConnectFailed, TimedOut: Of ``connections.outgoing``; what was sent before may
            have arrived.
    """
    deadline = Deadline(timeout_s)
    try:
        found = check_host(
            host,
            port,
            is_allowed=is_allowed,
            own_ports=frozenset({settings.PORT}),
            resolver=resolver,
            deadline=deadline,
        )
        if kind == "syslog_udp":
            _send_datagrams(found[0], port, lines)
        else:
            _send_stream(kind, host, found, port, b"".join(map(framed, lines)), deadline)
    except TimeoutError:
        raise TimedOut(
            "timed_out", "The other side did not take the lines within the time limit.", sent=True
        ) from None


def _send_datagrams(address: str, port: int, lines: Sequence[bytes]) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((address, port))
            for line in lines:
                sock.send(line[:MAX_DATAGRAM])
        except OSError as error:
            raise _broken(host_of=address, port=port, error=error) from None


def _send_stream(  # noqa: PLR0917 - one call, in the order of what happens
    kind: str, host: str, addresses: Sequence[str], port: int, data: bytes, deadline: Deadline
) -> None:
    sock = _opened(host, addresses, port, deadline)
    try:
        if kind == "syslog_tls":
            sock = wire.wrap_tls(sock, host, deadline)  # type: ignore[arg-type]
        sock.sendall(data)
        _await_end(sock, deadline)
    except ssl.SSLCertVerificationError as error:
        raise Refused(
            "bad_certificate", f"“{host}” did not prove who it is: {error.verify_message}."
        ) from None
    except TimeoutError:
        raise
    except OSError as error:
        raise _broken(host_of=host, port=port, error=error) from None
    finally:
        sock.close()


def _opened(
    host: str, addresses: Sequence[str], port: int, deadline: Deadline
) -> wire.TimedSocket | wire.TimedTLSSocket:
    last: OSError | None = None
    for address in addresses:
        deadline.remaining()
        try:
            return wire.connect(address, port, deadline, CONNECT_S)
        except OSError as error:
            last = error
    reason = (last.strerror if last else "") or "no answer"
    raise ConnectFailed("unreachable", f"Nobody answers at {host}, port {port}: {reason}.")


def _await_end(sock: wire.TimedSocket | wire.TimedTLSSocket, deadline: Deadline) -> None:
    """Say that this was all, and wait until the other side has closed, too.

    Raises:
        OSError: It broke off instead: lines may be lost.
        TimeoutError: It neither closed nor broke off in time.
    """
    if isinstance(sock, wire.TimedTLSSocket):
        sock.settimeout(deadline.remaining())
        try:
            sock.unwrap()
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return  # closed without saying so, which many do; a reset would be another error
        except ssl.SSLError as error:
            # What OpenSSL says where the other side closed before it had read our goodbye.
            if error.reason in {
                "APPLICATION_DATA_AFTER_CLOSE_NOTIFY",
                "UNEXPECTED_EOF_WHILE_READING",
            }:
                return
            raise
        return
    sock.shutdown(socket.SHUT_WR)
    buffer = bytearray(4096)
    while sock.recv_into(buffer):
        pass


def _broken(*, host_of: str, port: int, error: OSError) -> ConnectFailed:
    reason = error.strerror or type(error).__name__
    return ConnectFailed(
        "broken_off", f"{host_of}, port {port}, broke off before all lines were taken: {reason}."
    )
