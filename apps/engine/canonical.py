"""One text for one value: the canonical form, which hashes are taken over.

Source: RFC 8785, JSON Canonicalization Scheme.
"""

from collections.abc import Iterable
from decimal import Decimal
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any, Final

from apps.engine.values import NotJson, Path, check


class NotCanonical(NotJson):
    """A number that RFC 8785 would write as a different number."""

    code = "not_canonical"


def canonical(value: object) -> bytes:
    """Write a value in the canonical form of RFC 8785.

    Equal values give equal bytes, and values that differ give different bytes:
    a number that the form would change is refused.

    Raises:
        NotJson: The value is not JSON.
        NotCanonical: A number is not the shortest name of a double.

    Source: RFC 8785, JSON Canonicalization Scheme.
    """
    check(value)
    return "".join(_canonical(value, ())).encode()


def content_hash(value: object) -> str:
    """The SHA-256 of the canonical form, in lower-case hex."""
    return sha256(canonical(value)).hexdigest()


_WORDS_OF: Final = {None: "null", True: "true", False: "false"}


def _canonical(value: Any, path: Path) -> Iterable[str]:
    if value is None or type(value) is bool:
        yield _WORDS_OF[value]
    elif type(value) is str:
        yield encode_basestring(value)
    elif type(value) is list:
        yield "["
        for index, item in enumerate(value):
            if index:
                yield ","
            yield from _canonical(item, (*path, index))
        yield "]"
    elif type(value) is dict:
        yield "{"
        by_code_units = sorted(value, key=lambda key: key.encode("utf-16-be"))
        for index, key in enumerate(by_code_units):
            yield f"{',' if index else ''}{encode_basestring(key)}:"
            yield from _canonical(value[key], (*path, key))
        yield "}"
    else:
        yield _canonical_number(value, path)


def _canonical_number(value: int | Decimal, path: Path) -> str:
    try:
        text = es6_number(float(value))
    except OverflowError:
        text = "Infinity"
    if text == "Infinity" or Decimal(text) != value:
        raise NotCanonical(
            path,
            f"is {value}, which is not exactly a double; give it fewer digits, "
            "or write it as text.",
        )
    return text


def es6_number(number: float) -> str:
    """Write a double as ECMAScript does: the shortest digits that name it.

    Source: ECMA-262, Number::toString, which RFC 8785 section 3.2.2.3 asks for.
    """
    if number == 0:
        return "0"
    if number in (float("inf"), float("-inf")):
        return "Infinity"
    sign, digit_tuple, exponent = Decimal(repr(number)).as_tuple()
    digits = "".join(map(str, digit_tuple))
    point = len(digits) + int(exponent)  # digits before the decimal point
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        text = digits + "0" * (point - len(digits))
    elif 0 < point <= 21:
        text = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
        text = f"{mantissa}e{point - 1:+d}"
    return f"-{text}" if sign else text
