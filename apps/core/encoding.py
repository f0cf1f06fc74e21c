"""Values as the API and exports write them; apart from the HTTP edge, which workers do not load."""

from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


def as_json(value: Any) -> bytes:
    """Exact JSON: Decimals as numbers, ids and times as text."""
    return _encoder.encode(value)
