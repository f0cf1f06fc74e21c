"""What a proxy in front says about the caller, believed only where the proxy is trusted.

Works on the ASGI scope, before anything reads it, so that it holds for pages, API, sockets and
``/hooks/`` alike. From anybody else the headers are taken out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

Scope = dict[str, Any]
Network = IPv4Network | IPv6Network

_SECURE = {"http": "https", "websocket": "wss"}
_PLAIN = {"http": "http", "websocket": "ws"}


def trusting(proxies: Iterable[str]) -> Callable[[Scope], Scope]:
    """A function that reads what these proxies (addresses or networks) say and drops the rest.

    Raises:
        ValueError: One of them is neither an address nor a network.
    """
    networks = tuple(ip_network(one, strict=False) for one in proxies)

    @lru_cache(maxsize=1024)
    def is_trusted(address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in networks)

    def believed(scope: Scope) -> Scope:
        forwarded = [
            (name, value) for name, value in scope["headers"] if _is_forwarding(bytes(name))
        ]
        if not forwarded:
            return scope
        kept = [
            (name, value) for name, value in scope["headers"] if not _is_forwarding(bytes(name))
        ]
        scope["headers"] = kept
        peer = scope.get("client")
        if not peer or not is_trusted(peer[0]):
            return scope
        said: dict[bytes, str] = {}
        for name, value in forwarded:
            known = said.get(bytes(name))
            text = bytes(value).decode("latin-1").strip()
            said[bytes(name)] = text if known is None else f"{known},{text}"
        _believe(scope, said, is_trusted)
        return scope

    return believed


def _is_forwarding(name: bytes) -> bool:
    return name.startswith(b"x-forwarded-") or name in {b"forwarded", b"x-real-ip"}


def _believe(scope: Scope, said: dict[bytes, str], is_trusted: Callable[[str], bool]) -> None:
    # From the right: each trusted proxy added the address it saw. The first that is not one of
    # ours is the caller; what stands left of it the caller may have written.
    hops = [hop.strip() for hop in said.get(b"x-forwarded-for", "").split(",") if hop.strip()]
    for hop in reversed(hops):
        if _is_address(hop):
            scope["client"] = (hop, 0)
        if not is_trusted(hop):
            break
    scheme = said.get(b"x-forwarded-proto", "").rpartition(",")[2].strip().lower()
    if scheme in {"https", "wss"}:
        scope["scheme"] = _SECURE.get(scope["type"], "https")
    elif scheme in {"http", "ws"}:
        scope["scheme"] = _PLAIN.get(scope["type"], "http")
    host = said.get(b"x-forwarded-host", "").rpartition(",")[2].strip()
    if host:
        others = [(name, value) for name, value in scope["headers"] if name != b"host"]
        scope["headers"] = [*others, (b"host", host.encode("latin-1"))]


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
