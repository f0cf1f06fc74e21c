"""Which hosts may be called: how a name is written, and which addresses are the open internet.

Pure: nothing here opens a connection or reads the database.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import idna

IPAddress = IPv4Address | IPv6Address


class BadHost(ValueError):
    """The text is not a host name or address in its usual form."""


# Source: IANA special-purpose address registries (RFC 6890 and its updates). Written out rather
# than read from `ipaddress.is_global`, whose answers differ between Python releases.
_NOT_GLOBAL_4 = tuple(
    IPv4Network(net)
    for net in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")
_NOT_GLOBAL_6 = tuple(
    IPv6Network(net)
    for net in (
        "2001::/23",  # protocol assignments; Teredo, benchmarking and ORCHID among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",
    )
)
# Not even the allow-list opens these: they are not a server somebody named, but this very host
# under another name, the cloud's metadata service, or an IPv4 address in disguise (mapped,
# compatible, NAT64, 6to4, Teredo).
_NEVER_4 = tuple(
    IPv4Network(net) for net in ("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32")
)
_NEVER_6 = tuple(
    IPv6Network(net)
    for net in (
        "::/128",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "fd00:ec2::/32",
        "fe80::/10",
        "ff00::/8",
    )
)
_COMPATIBLE_6 = IPv6Network("::/96")
_LOOPBACK_6 = IPv6Address("::1")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")


def normal_host(text: str) -> str:
    """The host as it is compared and connected to: small letters, ASCII, no dot at the end.

    Raises:
        BadHost: An odd spelling of an address (decimal, octal, hexadecimal, shortened), a zone,
            or characters that no host name has.
    """
    host = text.strip().rstrip(".")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if ":" in host:
        return _normal_ipv6(host)
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError:
            raise BadHost(f"“{text[:80]}” is not a host name.") from None
    host = host.lower()
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadHost(f"“{text[:80]}” is not a host name.")
    if _NUMBER.fullmatch(labels[-1]):
        return _normal_ipv4(host)
    return host


def is_global(address: IPAddress) -> bool:
    """Whether the address is one of the open internet."""
    if isinstance(address, IPv4Address):
        return not any(address in net for net in _NOT_GLOBAL_4)
    return address in _GLOBAL_6 and not any(address in net for net in _NOT_GLOBAL_6)


def is_never_allowed(address: IPAddress) -> bool:
    """Whether even an allow-listed name may not lead to this address."""
    if isinstance(address, IPv4Address):
        return any(address in net for net in _NEVER_4)
    if address in _COMPATIBLE_6 and address != _LOOPBACK_6:
        return True
    return any(address in net for net in _NEVER_6)


def literal(host: str) -> IPAddress | None:
    """The address, where a normal host is one."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def split_host_port(text: str) -> tuple[str, int | None]:
    """``host`` or ``host:port``, the host in its normal form.

    Raises:
        BadHost: It is neither.
    """
    found = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]+)(?::(\d{1,5}))?", text.strip())
    if found is None:
        # A bare IPv6 address has colons of its own and therefore no port.
        return normal_host(text), None
    port = int(found[2]) if found[2] else None
    if port is not None and not 1 <= port <= 65535:
        raise BadHost(f"{port} is not a port; expected 1 to 65535.")
    return normal_host(found[1]), port


def _normal_ipv4(host: str) -> str:
    try:
        # Python refuses leading zeros, which some resolvers read as octal.
        return str(IPv4Address(host))
    except ValueError:
        raise BadHost(
            f"“{host[:80]}” is an odd way to write an address; write it as four numbers."
        ) from None


def _normal_ipv6(host: str) -> str:
    try:
        address = IPv6Address(host)
    except ValueError:
        raise BadHost(f"“{host[:80]}” is not an IPv6 address.") from None
    if address.scope_id is not None:
        raise BadHost("An address with a zone (after “%”) cannot be called.")
    return str(address)
