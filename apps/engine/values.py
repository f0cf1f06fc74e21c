"""Exact JSON: the gate that every stored value passes, in and out.

Numbers keep their digits: whole numbers are ``int``, all others ``Decimal``,
never ``float``. What PostgreSQL could not store, or two programs could read in
two ways, is refused at the door, with its position (engine rule 17).

The common case runs on the C scanner and encoder of the standard library; a
careful scan runs only over a refused text, to say *where* it is wrong.
"""

import json
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from itertools import chain
from json.encoder import (  # type: ignore[attr-defined]
    c_make_encoder,
    encode_basestring,
)
from typing import Any, Final, Literal, Never, TypeAlias

Value: TypeAlias = "bool | int | Decimal | str | list[Value] | dict[str, Value] | None"
Path: TypeAlias = tuple[str | int, ...]

MAX_DEPTH: Final = 64
MAX_DIGITS: Final = 34
MAX_EXPONENT: Final = 6144
#: About so many characters one value of a run may have: what a step is given, or gives.
MAX_SIZE: Final = 16_000_000
_INT_LIMIT: Final = 10**MAX_DIGITS
_SAFE: Final = 1000
_SHORT: Final = MAX_DIGITS + 1  # a number text this short cannot have too many digits


class BadJson(Exception):
    """A text that is not JSON, or is JSON that is refused.

    Attributes:
        code: ``malformed_json`` where the syntax is broken (the gateway answers
            400), ``bad_json`` where it is sound but refused (422).
        message: A sentence for the sender.
        position: Offset of the first wrong character; for bytes that are not
            UTF-8, of the first wrong byte.
        line: Line of that position, from 1.
        column: Column of that position, from 1.
    """

    def __init__(
        self,
        code: Literal["bad_json", "malformed_json"],
        message: str,
        *,
        position: int,
        line: int,
        column: int,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.position = position
        self.line = line
        self.column = column


class NotJson(Exception):
    """A Python value that has no exact JSON form.

    Attributes:
        code: ``not_json``.
        message: A sentence that names the place and the cause.
        path: Keys and indexes from the root to the value.
    """

    code = "not_json"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{_place(path)} {reason}")
        self.message = str(self)
        self.path = path


class TooLarge(NotJson):
    """A value that is larger than a run may hold in one place."""

    code = "too_large"

    def __init__(self) -> None:
        super().__init__((), f"is larger than {MAX_SIZE // 1_000_000} MB.")


def loads(data: bytes | str, *, max_depth: int = MAX_DEPTH) -> Value:
    """Read one JSON text, exactly.

    Raises:
        BadJson: The text is malformed, or holds what is refused: NUL, a lone
            surrogate, NaN or Infinity, a number beyond 34 digits or an exponent
            beyond 6144, a name twice in one object, too many levels, or bytes
            that are not UTF-8. A byte order mark is passed over.
    """
    text = data if isinstance(data, str) else _decode(data)
    text = text if text[:1] != "\ufeff" else " " + text[1:]
    try:
        value = _decode_text(text)
    except (ValueError, ArithmeticError, RecursionError):
        return _CarefulScan(text, max_depth).run()
    if _SUSPECT.search(text) or (
        text.count("[") + text.count("{") > max_depth and _depth(value) > max_depth
    ):
        return _CarefulScan(text, max_depth).run()
    if isinstance(data, str) and not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return _CarefulScan(text, max_depth).run()
    return value


def dumps(value: object) -> str:
    """Write a value as compact JSON, every number with the digits it has.

    ``Decimal("1E+6144")`` stays ``1E+6144`` and ``1.50`` stays ``1.50``.

    Raises:
        NotJson: There is no exact JSON form; see ``check``.
    """
    decimals = _survey(value)
    if decimals < 0:
        check(value)
    text = _encode(value)
    if "\\u0000" in text:
        if text.count("\\u0000") != decimals:
            check(value)
        text = _DECIMAL_MARK.sub(r"\1", text)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            check(value)
    return text


def check(value: object) -> None:
    """Refuse a value that ``loads`` could not have returned.

    Raises:
        NotJson: The first offence, with its path: a float or any other type, a
            key that is not text, NUL or a lone surrogate in text, too many
            digits, too great an exponent, or more than 64 levels.
    """
    _check(value, ())


def check_kept(value: object) -> None:
    """Refuse a value that a run cannot keep: ``check``, and the size.

    Raises:
        NotJson: See ``check``.
        TooLarge: It has more than about ``MAX_SIZE`` characters.
    """
    check(value)
    if _size(value) > MAX_SIZE:
        raise TooLarge


def _size(value: Any) -> int:
    """About how many characters a value has; it is known to be JSON."""
    kind = type(value)
    if kind is str:
        return len(value)
    if kind is dict:
        return len(value) + sum(map(len, value)) + sum(map(_size, value.values()))
    if kind is list:
        return len(value) + sum(map(_size, value))
    return 1


class _Refused(ValueError):
    """The quick reader met what only the careful scan can explain."""


# Escapes that may stand for NUL or half a character; raw NUL is malformed anyway.
_SUSPECT: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start]
        raise BadJson(
            "bad_json",
            "Expected text in UTF-8, found bytes that are not. Send the body as UTF-8.",
            position=error.start,
            line=before.count(b"\n") + 1,
            column=error.start - (before.rfind(b"\n") + 1) + 1,
        ) from None


def _read_int(text: str) -> int:
    if len(text) > MAX_DIGITS and len(text.lstrip("-")) > MAX_DIGITS:
        raise _Refused
    return int(text)


def _read_decimal(text: str) -> Decimal:
    number = Decimal(text)
    if len(text) <= _SHORT and "e" not in text and "E" not in text:
        return number
    if number_fault(number):
        raise _Refused
    return number


def _read_constant(text: str) -> Never:
    raise _Refused(text)


def _read_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Refused
    return value


_decode_text: Final[Callable[[str], Value]] = json.JSONDecoder(
    object_pairs_hook=_read_pairs,
    parse_float=_read_decimal,
    parse_int=_read_int,
    parse_constant=_read_constant,
).decode


def number_fault(number: Decimal) -> str | None:
    """Say why a number is refused, or None where it is not."""
    if not number.is_finite():
        return "is not a finite number"
    if -_SAFE < number.adjusted() < _SAFE and len(str(number)) <= MAX_DIGITS:
        return None  # the usual case, told without building the tuple of digits
    if len(number.as_tuple().digits) > MAX_DIGITS:
        return f"has more than {MAX_DIGITS} digits"
    if abs(number.adjusted()) > MAX_EXPONENT:
        return f"has an exponent beyond {MAX_EXPONENT}"
    return None


def _depth(value: object) -> int:
    """Levels of lists and objects, walked level by level at C speed."""
    depth = 0
    level = [value] if type(value) in _CONTAINERS else []
    while level:
        depth += 1
        level = [v for v in _children(level) if type(v) in _CONTAINERS]
    return depth


def _children(level: list[Any]) -> Iterable[Any]:
    return chain.from_iterable(v.values() if type(v) is dict else v for v in level)


_CONTAINERS: Final = frozenset({dict, list})
_QUICK: Final = frozenset({dict, list, str, bool, int, Decimal, type(None)})
_KEYS: Final = frozenset({str})
# A Decimal leaves the C encoder as a text that begins with NUL, which no other
# text can, and is then stripped of its quotes.
_DECIMAL_MARK: Final = re.compile(r'"\\u0000([^"]*)"')


def _mark_decimal(value: object) -> str:
    if type(value) is Decimal:
        return f"\0{value}"
    raise TypeError  # not reached: every value is checked before it is encoded


def _make_encode() -> Callable[[object], str]:
    """Build the encoder once: JSONEncoder builds its C part anew for each call."""
    if c_make_encoder is None:
        return json.JSONEncoder(
            ensure_ascii=False,
            check_circular=False,
            separators=(",", ":"),
            default=_mark_decimal,
        ).encode
    chunks = c_make_encoder(
        None, _mark_decimal, encode_basestring, None, ":", ",", False, False, False
    )
    return lambda value: "".join(chunks(value, 0))


_encode: Final = _make_encode()


def _survey(value: object) -> int:
    """Count the Decimals of a value that is storable but, maybe, for its texts.

    Returns -1 where the value is surely not storable. Reads level by level with
    set operations, so that the loop runs in C.
    """
    level: list[Any] = [value]
    found = 0
    for depth in range(MAX_DEPTH + 1):
        types = set(map(type, level))
        if not types <= _QUICK:
            return -1
        if Decimal in types:
            decimals = [v for v in level if type(v) is Decimal]
            found += len(decimals)
            if any(map(number_fault, decimals)):
                return -1
        if int in types and any(not -_INT_LIMIT < v < _INT_LIMIT for v in level if type(v) is int):
            return -1
        if not types & _CONTAINERS:
            return found
        if depth == MAX_DEPTH:
            break
        level = [v for v in level if type(v) in _CONTAINERS]
        if dict in types:
            keys = chain.from_iterable(v for v in level if type(v) is dict)
            if not set(map(type, keys)) <= _KEYS:
                return -1
        level = list(_children(level))
    return -1


def _check(value: object, path: Path) -> None:
    if len(path) >= MAX_DEPTH and type(value) in _CONTAINERS:
        raise NotJson(path, f"lies deeper than {MAX_DEPTH} levels.")
    match value:
        case None | True | False:
            return
        case str() if type(value) is str:
            _check_text(value, path, "holds")
        case int() if type(value) is int:
            if not -_INT_LIMIT < value < _INT_LIMIT:
                raise NotJson(path, f"has more than {MAX_DIGITS} digits.")
        case Decimal() if type(value) is Decimal:
            if fault := number_fault(value):
                raise NotJson(path, f"{fault}.")
        case list() if type(value) is list:
            for index, item in enumerate(value):
                _check(item, (*path, index))
        case dict() if type(value) is dict:
            for key, item in value.items():
                if type(key) is not str:
                    raise NotJson(path, f"has the key {key!r}, which is not text.")
                _check_text(key, path, "has a key with")
                _check(item, (*path, key))
        case float():
            raise NotJson(path, "is a float; use Decimal, which is exact.")
        case _:
            raise NotJson(path, f"is a {type(value).__name__}, which JSON cannot hold.")


def _check_text(text: str, path: Path, verb: str) -> None:
    if "\0" in text:
        raise NotJson(path, f"{verb} a NUL character.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise NotJson(path, f"{verb} half a character (a lone surrogate).") from None


def _place(path: Path) -> str:
    """Name a place, from ``The value`` for the root to ``items[2].price``."""
    if not path:
        return "The value"
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        elif part.isidentifier():
            shown += f".{part}" if shown else part
        else:
            shown += f"[{part!r}]"
    return shown if len(shown) <= 200 else f"{shown[:200]}…"


_BLANKS: Final = frozenset(" \t\n\r")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_CHUNK: Final = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]*')
_HEX: Final = re.compile(r"[0-9a-fA-F]{4}")
_WORDS: Final = {"true": True, "false": False, "null": None}
_BAD_WORDS: Final = ("NaN", "Infinity", "-Infinity")
_ESCAPES: Final = dict(zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))


class _CarefulScan:
    """Reads JSON by hand, to find the first offence and its position.

    Slow, and in full agreement with the quick reader: what this accepts, that
    accepts (but for its own recursion limit), with the same value.
    """

    def __init__(self, text: str, max_depth: int) -> None:
        self.text = text
        self.max_depth = max_depth
        self.at = 0

    def run(self) -> Value:
        value = self.value(0)
        self.take("")
        if self.at < len(self.text):
            raise self.malformed("the end of the text")
        return value

    def refused(self, at: int, reason: str) -> BadJson:
        return self.error("bad_json", at, reason)

    def malformed(self, expected: str) -> BadJson:
        if self.text[self.at : self.at + 1] == "\0":
            return self.refused(self.at, "A NUL character is not allowed.")
        found = repr(self.text[self.at]) if self.at < len(self.text) else "the end"
        return self.error("malformed_json", self.at, f"Expected {expected}, found {found}.")

    def error(self, code: Literal["bad_json", "malformed_json"], at: int, reason: str) -> BadJson:
        line = self.text.count("\n", 0, at) + 1
        column = at - (self.text.rfind("\n", 0, at) + 1) + 1
        message = f"{reason} (line {line}, column {column})"
        return BadJson(code, message, position=at, line=line, column=column)

    def take(self, mark: str) -> bool:
        """Pass over blanks, and over ``mark`` if it follows."""
        while self.text[self.at : self.at + 1] in _BLANKS:
            self.at += 1
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def value(self, depth: int) -> Value:
        self.take("")
        first = self.text[self.at : self.at + 1]
        if first in ("{", "["):
            if depth >= self.max_depth:
                raise self.refused(
                    self.at, f"Lists and objects nest deeper than {self.max_depth} levels."
                )
            return self.object(depth + 1) if first == "{" else self.array(depth + 1)
        if first == '"':
            return self.string()
        for word in _BAD_WORDS:
            if self.text.startswith(word, self.at):
                raise self.refused(self.at, f"{word} is not a number that JSON has.")
        for word, meaning in _WORDS.items():
            if self.take(word):
                return meaning
        return self.number()

    def object(self, depth: int) -> dict[str, Value]:
        self.at += 1
        found: dict[str, Value] = {}
        if self.take("}"):
            return found
        while True:
            self.take("")
            start = self.at
            if self.text[start : start + 1] != '"':
                raise self.malformed("a name in double quotes")
            name = self.string()
            if name in found:
                raise self.refused(start, f"The name {name[:80]!r} stands twice in one object.")
            if not self.take(":"):
                raise self.malformed("':'")
            found[name] = self.value(depth)
            if self.take("}"):
                return found
            if not self.take(","):
                raise self.malformed("',' or '}'")

    def array(self, depth: int) -> list[Value]:
        self.at += 1
        found: list[Value] = []
        if self.take("]"):
            return found
        while True:
            found.append(self.value(depth))
            if self.take("]"):
                return found
            if not self.take(","):
                raise self.malformed("',' or ']'")

    def number(self) -> int | Decimal:
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            raise self.malformed("a value")
        try:
            if match[1] or match[2]:
                value: int | Decimal = _read_decimal(match[0])
            else:
                value = _read_int(match[0])
        except (ValueError, ArithmeticError):
            raise self.refused(
                self.at,
                f"Expected a number of at most {MAX_DIGITS} digits and an exponent "
                f"up to {MAX_EXPONENT}, found {match[0][:60]}.",
            ) from None
        self.at = match.end()
        return value

    def string(self) -> str:
        self.at += 1
        parts: list[str] = []
        while True:
            if chunk := _CHUNK.match(self.text, self.at):
                parts.append(chunk[0])
                self.at = chunk.end()
            mark = self.text[self.at : self.at + 1]
            if mark == '"':
                self.at += 1
                return "".join(parts)
            if mark == "\\":
                parts.append(self.escape())
            elif mark >= "\ud800":
                raise self.refused(self.at, "Half a character (a lone surrogate).")
            else:
                raise self.malformed("a closing double quote")

    def escape(self) -> str:
        start = self.at
        kind = self.text[start + 1 : start + 2]
        if kind != "u":
            if kind not in _ESCAPES:
                raise self.malformed("an escape that JSON has")
            self.at += 2
            return _ESCAPES[kind]
        code = self.unit()
        if code == 0:
            raise self.refused(start, "A NUL character (\\u0000) is not allowed.")
        if 0xD800 <= code < 0xDC00 and self.text.startswith("\\u", self.at):
            low = self.unit()
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00))
        if 0xD800 <= code < 0xE000:
            raise self.refused(start, "Half a character (a lone surrogate).")
        return chr(code)

    def unit(self) -> int:
        match = _HEX.match(self.text, self.at + 2)
        if match is None:
            raise self.malformed("four hexadecimal digits after \\u")
        self.at = match.end()
        return int(match[0], 16)
