"""The place in the tokens that a parser has come to."""

from collections.abc import Iterable

from apps.engine.feel.errors import FeelSyntaxError, Position, nearest
from apps.engine.feel.lexer import Token, tokens

__all__ = ["Cursor"]


class Cursor:
    """Looks at tokens, takes them, and says what was expected instead."""

    def __init__(self, source: str, names: Iterable[str], functions: Iterable[str]) -> None:
        self.source = source
        self.tokens = tokens(source, names, functions)
        self.functions = functions
        self.index = 0
        self.depth = 0

    @property
    def now(self) -> Token:
        return self.tokens[self.index]

    def peek(self, ahead: int = 1) -> Token:
        return self.tokens[min(self.index + ahead, len(self.tokens) - 1)]

    def next(self) -> Token:
        token = self.tokens[self.index]
        if token.kind != "end":
            self.index += 1
        return token

    def at(self, *values: str) -> bool:
        token = self.now
        return token.value in values and token.kind in {"mark", "keyword"}

    def take(self, value: str) -> bool:
        if self.at(value):
            self.index += 1
            return True
        return False

    def expect(self, value: str, because: str) -> Token:
        if not self.at(value):
            raise self.wrong(f'Expected "{value}" {because}')
        return self.next()

    def wrong(self, expected: str) -> FeelSyntaxError:
        token = self.now
        found = "the end of the expression" if token.kind == "end" else f'"{token.value[:40]}"'
        return FeelSyntaxError(
            "syntax", f"{expected}, found {found}.", (token.start, max(token.end, token.start))
        )

    def finish(self) -> None:
        token = self.now
        if token.kind == "end":
            return
        before = self.tokens[self.index - 1] if self.index else None
        if before and before.kind == "number" and token.value[:1] in {"e", "E"}:
            raise self.wrong('Expected a number without exponent (write "* 10**3" for "e3")')
        if before and before.kind == "name" and token.kind == "name":
            self.unknown_function(before)
            raise self.wrong(
                "Expected an operator (a name with spaces is read through "
                'get value(context, "odd key"))'
            )
        raise self.wrong("Expected an operator or the end")

    def unknown_function(self, first: Token) -> None:
        """Refuse several words before a bracket: a function that does not exist."""
        ahead = 0
        while self.peek(ahead).kind in {"name", "keyword"}:
            ahead += 1
        if self.peek(ahead).value != "(":
            return
        words = [first.value, *(self.peek(index).value for index in range(ahead))]
        name = " ".join(words)
        raise FeelSyntaxError(
            "unknown_function",
            f'There is no function "{name}".',
            (first.start, self.peek(ahead - 1).end),
            nearest(name, self.functions),
        )

    def span(self, start: int) -> Position:
        return (start, self.tokens[self.index - 1].end)
