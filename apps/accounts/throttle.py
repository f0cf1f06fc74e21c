"""How often something may be tried, by account and by network address.

Counted in PostgreSQL, not in the cache: it is shared by all processes, it is there whenever
anybody can sign in at all, and emptying the cache resets nothing. A try is counted *before* it
is judged, so that many at once cannot all slip through; a good one gives its count back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from django.db import connection

from apps.accounts.models import Throttle
from apps.core.errors import ProductError


@dataclass(frozen=True)
class Limit:
    """So many tries in so long."""

    tries: int
    window: timedelta


#: An account's limit stops guessing at one person's password; an address's limit stops trying
#: one password at many accounts. The same for accounts that do not exist.
LIMITS: Mapping[str, Limit] = {
    "sign_in.account": Limit(10, timedelta(minutes=15)),
    "sign_in.address": Limit(50, timedelta(minutes=15)),
    "password.account": Limit(10, timedelta(minutes=15)),
    "reset.account": Limit(3, timedelta(hours=1)),
    "reset.address": Limit(20, timedelta(hours=1)),
    "link.address": Limit(60, timedelta(hours=1)),
    # What is sent by pages that are open to everybody: by one address, and to one form.
    "form.address": Limit(20, timedelta(hours=1)),
    "form.all": Limit(600, timedelta(hours=1)),
}


class TooManyTries(ProductError):
    """Refused without being looked at."""

    code = "too_many_tries"
    status = 429


def take(subjects: Mapping[str, str], now: datetime) -> None:
    """Count one try for each ``{limit: subject}``; commit it before the try itself.

    Raises:
        TooManyTries: One of them is over its limit; ``retry_after`` has the seconds to wait.
    """
    waits = [_count(name, subject, now) for name, subject in sorted(subjects.items())]
    wait = max(waits)
    if wait > timedelta(0):
        minutes = max(1, round(wait.total_seconds() / 60))
        raise TooManyTries(
            f"Too many tries. Wait {minutes} minutes and try again.",
            retry_after=int(wait.total_seconds()) + 1,
            minutes=minutes,
        )


def give_back(subjects: Mapping[str, str]) -> None:
    """A try was good: forget the account's failures, and this one try of the address."""
    with connection.cursor() as cursor:
        for name, subject in sorted(subjects.items()):
            if name.endswith(".account"):
                cursor.execute(
                    "delete from accounts_throttle where key = %s", [_key(name, subject)]
                )
            else:
                cursor.execute(
                    "update accounts_throttle set count = greatest(count - 1, 0) where key = %s",
                    [_key(name, subject)],
                )


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or an IPv6 /64, which one person can fill."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network(f"{parsed}/64", strict=False))
    return str(parsed)


def delete_expired(now: datetime) -> int:
    """Forget windows that are over; returns how many."""
    return Throttle.objects.filter(resets_at__lte=now).delete()[0]


def _count(name: str, subject: str, now: datetime) -> timedelta:
    limit = LIMITS[name]
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into accounts_throttle as t (key, count, resets_at)"
            " values (%(key)s, 1, %(end)s)"
            " on conflict (key) do update set"
            " count = case when t.resets_at <= %(now)s then 1 else t.count + 1 end,"
            " resets_at = case when t.resets_at <= %(now)s then %(end)s else t.resets_at end"
            " returning count, resets_at",
            {"key": _key(name, subject), "now": now, "end": now + limit.window},
        )
        count, resets_at = cursor.fetchone()
    return resets_at - now if count > limit.tries else timedelta(0)


def _key(name: str, subject: str) -> str:
    return hashlib.sha256(f"{name} {subject.strip().lower()}".encode()).hexdigest()
