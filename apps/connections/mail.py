"""The way to the mail server: the same guard, the same pinned address as any other call.

The server named by ``SIGNALBOX_SMTP_URL`` may stand inside the network, since whoever sets that
variable is the administrator; but it may be neither the product itself nor an address that
nobody may call, and the connection goes to the address that was checked.
"""

from __future__ import annotations

import smtplib
import socket
from typing import Any

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend

from apps.connections.outgoing import check_host
from apps.connections.wire import Deadline


class _Pinned(smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        addresses = check_host(
            host,
            port,
            is_allowed=lambda *_: True,
            own_ports=frozenset({settings.PORT}),
            deadline=Deadline(timeout),
        )
        last: OSError | None = None
        for address in addresses:
            try:
                return socket.create_connection((address, port), timeout)
            except OSError as error:
                last = error
        raise last or OSError("the mail server has no address")


class _PinnedTLS(smtplib.SMTP_SSL, _Pinned):
    """TLS from the start: wraps what ``_Pinned`` connects, under the server's own name."""


class GuardedBackend(EmailBackend):
    """Django's SMTP backend over a checked address."""

    @property
    def connection_class(self) -> Any:
        """What Django makes its connection of."""
        return _PinnedTLS if self.use_ssl else _Pinned
