"""The built-in functions of FEEL, and ours.

A function raises ``Fault``; the call that stands in the source gives it its
place. Importing this package declares them all.
"""

from apps.engine.feel.builtins import (
    contexts,
    conversion,
    lists,
    numbers,
    ranges,
    temporals,
    texts,
)
from apps.engine.feel.builtins.registry import BUILTINS, Signature, select

__all__ = [
    "BUILTINS",
    "Signature",
    "contexts",
    "conversion",
    "lists",
    "numbers",
    "ranges",
    "select",
    "temporals",
    "texts",
]
