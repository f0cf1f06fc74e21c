"""From where a request comes; apart from the HTTP edge, which workers do not load."""

from typing import Protocol


class Caller(Protocol):
    """Django's request, and that of DRF around it."""

    @property
    def META(self) -> dict[str, str]: ...  # noqa: N802 - Django's name


def ip_of(request: Caller) -> str:
    """The caller's network address; what a proxy says counts only where it is trusted."""
    return request.META.get("REMOTE_ADDR") or "0.0.0.0"  # noqa: S104 - a stand-in, not a bind
