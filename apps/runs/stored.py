"""JSON that passed the gate of ``engine.values`` already: written and read many times faster.

What comes from outside or from a step is checked once, where it comes in (engine rule 17). From
there on the same texts result: numbers keep their digits, since Decimals are written as they are
and whatever is no integer is read as a Decimal.
"""

from decimal import Decimal
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def dumps(value: Any) -> str:
    """The text that ``values.dumps`` would give; ``value`` must have passed ``values.check``."""
    return _encoder.encode(value).decode()


def loads(text: str) -> Any:
    """What ``values.loads`` would give of a text that ``dumps`` or ``values.dumps`` wrote."""
    return _decoder.decode(text)
