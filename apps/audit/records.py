"""Who did something, and to what: the two values every trail row is made from."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Target", "Who"]


@dataclass(frozen=True)
class Who:
    """The one who acted, as they were known at that moment.

    ``id`` and ``on_behalf_of`` stay readable for ever, so they are ids, never names
    or mail addresses; ``label`` is what people read, and can be erased.
    """

    kind: Literal["person", "token", "system"]
    id: str
    label: str
    on_behalf_of: str = ""


@dataclass(frozen=True)
class Target:
    """What was acted upon. ``id`` stays readable for ever; ``label`` can be erased."""

    type: str
    id: str
    label: str = ""
