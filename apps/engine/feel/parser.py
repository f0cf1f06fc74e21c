"""Builds the syntax tree of a FEEL source.

Operators are read by precedence climbing, so that brackets and not operators
cost Python frames; chains of one precedence become flat nodes.

Source: OMG DMN 1.5, section 10.3.1.2 (grammar rules), with one difference:
names of variables are single words, unless the caller lists them.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final, Literal, TypeVar

from apps.engine.feel import temporal
from apps.engine.feel.ast import (
    Between,
    Call,
    Chain,
    Comparison,
    Constant,
    ContextLiteral,
    Filter,
    For,
    FunctionLiteral,
    If,
    In,
    InstanceOf,
    Iterator,
    ListLiteral,
    Logic,
    Member,
    Name,
    Negation,
    Node,
    Parameter,
    Quantified,
    RangeLiteral,
    Test,
    Tests,
    TypeRef,
)
from apps.engine.feel.cursor import Cursor
from apps.engine.feel.errors import Fault, FeelSyntaxError
from apps.engine.feel.lexer import Token
from apps.engine.values import MAX_DIGITS

__all__ = ["MAX_NESTING", "parse_expression", "parse_unary_tests"]

MAX_NESTING: Final = 64

_OR, _AND, _COMPARE, _ADD, _MULTIPLY, _POWER, _INSTANCE = range(1, 8)
_LEVELS: Final = {
    "or": _OR,
    "and": _AND,
    "=": _COMPARE, "!=": _COMPARE, "<": _COMPARE, "<=": _COMPARE, ">": _COMPARE, ">=": _COMPARE,
    "between": _COMPARE, "in": _COMPARE,
    "+": _ADD, "-": _ADD,
    "*": _MULTIPLY, "/": _MULTIPLY,
    "**": _POWER,
    "instance": _INSTANCE,
}  # fmt: skip
_COMPARATORS: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})
_CONTINUES: Final = frozenset({".", "[", "(", "+", "-", "*", "/", "**", "instance"})
_AFTER_RANGE: Final = frozenset(
    {")", ",", "]", "}", ".", "and", "or", "then", "else", "return", "satisfies"}
)
_NAME_MARKS: Final = frozenset({"+", "-", "*", "/", "**", "."})
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_TYPES: Final = {
    "Any", "Null", "boolean", "context", "date", "date and time", "days and time duration",
    "duration", "function", "list", "number", "range", "string", "time",
    "years and months duration",
}  # fmt: skip

T = TypeVar("T")


def parse_expression(source: str, names: Iterable[str], functions: Iterable[str]) -> Node:
    """Parse one expression.

    Args:
        source: The text; a leading ``=`` is not part of it.
        names: Names of several words that are read as one.
        functions: Names of functions, of which the same is true before a bracket.

    Raises:
        FeelSyntaxError: The source is not an expression.
    """
    parser = _Parser(source, names, functions)
    node = parser.expression()
    parser.finish()
    return node


def parse_unary_tests(source: str, names: Iterable[str], functions: Iterable[str]) -> Tests:
    """Parse the tests of one cell of a decision table: ``-``, ``> 5, [1..3]``, ``not(…)``.

    Raises:
        FeelSyntaxError: The source is not a list of unary tests.
    """
    parser = _Parser(source, names, functions)
    tests = parser.unary_tests()
    parser.finish()
    return tests


class _Parser(Cursor):
    def expression(self) -> Node:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise FeelSyntaxError(
                "budget",
                f"The expression nests deeper than {MAX_NESTING} levels. "
                "Split it over several fields.",
                (self.now.start, self.now.end),
            )
        node = self.operators(_OR)
        self.depth -= 1
        return node

    def operators(self, least: int) -> Node:
        start = self.now.start
        left = self.unary()
        while (level := self.level()) >= least:
            token = self.next()
            if level <= _AND:
                left = self.logic(token, level, left, start)
            elif level == _COMPARE:
                left = self.comparison(token, left, start)
                self.not_chained()
            elif level == _INSTANCE:
                left = self.instance_of(left, start)
            else:
                left = self.chain(token, level, left, start)
        return left

    def level(self) -> int:
        token = self.now
        if token.kind in {"mark", "keyword"}:
            return _LEVELS.get(token.value, 0)
        return 0

    def logic(self, token: Token, level: int, left: Node, start: int) -> Logic:
        operator: Literal["and", "or"] = "and" if token.value == "and" else "or"
        operands = [left, self.operators(level + 1)]
        while self.take(operator):
            operands.append(self.operators(level + 1))
        return Logic(self.span(start), operator, tuple(operands))

    def chain(self, token: Token, level: int, first: Node, start: int) -> Chain:
        rest = [(token.value, self.operators(level + 1))]
        while self.level() == level:
            rest.append((self.next().value, self.operators(level + 1)))
        return Chain(self.span(start), first, tuple(rest))

    def comparison(self, token: Token, left: Node, start: int) -> Node:
        if token.value == "=" and self.at("="):
            raise self.wrong('Expected one "=" to compare')
        if token.value == "<" and self.at(">"):
            raise self.wrong('Expected "!=" for "is different from"')
        if token.value == "between":
            low = self.operators(_ADD)
            self.expect("and", "between the two limits")
            high = self.operators(_ADD)
            return Between(self.span(start), left, low, high)
        if token.value == "in":
            tests = self.in_tests()
            return In(self.span(start), left, tests)
        right = self.operators(_ADD)
        return Comparison(self.span(start), token.value, left, right)

    def not_chained(self) -> None:
        if self.level() == _COMPARE:
            raise self.wrong('Expected "and" or "or" between two comparisons')

    def instance_of(self, left: Node, start: int) -> InstanceOf:
        self.expect("of", 'after "instance"')
        type_ = self.type()
        return InstanceOf(self.span(start), left, type_)

    def unary(self) -> Node:
        start = self.now.start
        minus = 0
        while self.take("-"):
            minus += 1
        node = self.postfix()
        if minus > MAX_NESTING:
            raise FeelSyntaxError("syntax", "Too many minus signs.", (start, start + minus))
        for index in reversed(range(minus)):
            node = Negation((start + index, node.span[1]), node)
        return node

    def postfix(self) -> Node:
        start = self.now.start
        node = self.primary()
        links = 0
        while self.at(".", "[", "(") and not self.closes_range():
            links += 1
            if links > MAX_NESTING:
                raise self.wrong(f"Expected at most {MAX_NESTING} parts of a path")
            if self.take("."):
                token = self.next()
                if token.kind not in {"name", "keyword"}:
                    self.index -= token.kind != "end"
                    raise self.wrong('Expected a name after "."')
                name, end = self.member_name(token)
                node = Member((start, end), node, name, (token.start, end))
            elif self.take("["):
                predicate = self.expression()
                self.expect("]", "after the index or condition")
                node = Filter(self.span(start), node, predicate)
            else:
                node = self.call(node, start)
        return node

    def closes_range(self) -> bool:
        """Whether a ``[`` ends a range, as in ``]0..9[``: no expression follows it."""
        after = self.peek()
        return self.at("[") and (
            after.kind == "end" or (after.kind != "text" and after.value in _AFTER_RANGE)
        )

    def member_name(self, token: Token) -> tuple[str, int]:
        if token.value == "time" and self.now.value == "offset" and self.now.kind == "name":
            return "time offset", self.next().end
        if token.value in {"start", "end"} and self.now.value == "included":
            return f"{token.value} included", self.next().end
        return token.value, token.end

    def call(self, callee: Node, start: int) -> Call:
        self.expect("(", "before the arguments")
        arguments: list[Node] = []
        names: list[str] = []
        while not self.at(")"):
            if arguments:
                self.expect(",", 'or ")" after an argument')
            name = self.label()
            place = self.now
            if arguments and bool(name) != bool(names[0]):
                raise FeelSyntaxError(
                    "syntax",
                    "Expected either names for all arguments or for none.",
                    (place.start, place.end),
                )
            if name and name in names:
                raise FeelSyntaxError(
                    "syntax", f'The argument "{name}" is given twice.', (place.start, place.end)
                )
            names.append(name)
            arguments.append(self.expression())
        self.next()
        return Call(self.span(start), callee, tuple(arguments), tuple(names))

    def label(self) -> str:
        """Take ``name:`` if it stands here; otherwise nothing, and return ''."""
        ahead = self.words_ahead()
        if ahead == 0 or self.peek(ahead).value != ":" or self.peek(ahead).kind != "mark":
            return ""
        return self.words(ahead)

    def words_ahead(self) -> int:
        """How many tokens from here on may be one name, with spaces and signs in it."""
        ahead = 0
        while self.peek(ahead).kind in {"name", "keyword", "number"} or (
            ahead and self.peek(ahead).kind == "mark" and self.peek(ahead).value in _NAME_MARKS
        ):
            if not ahead and self.now.kind == "number":
                break
            ahead += 1
        return ahead

    def words(self, ahead: int) -> str:
        """Take a name of so many tokens, and the colon after it."""
        name = self.source[self.now.start : self.peek(ahead - 1).end]
        self.index += ahead + 1
        return " ".join(name.split())

    def primary(self) -> Node:
        token = self.now
        span = (token.start, token.end)
        match token.kind:
            case "number":
                self.next()
                return Constant(span, _number(token))
            case "text":
                self.next()
                return Constant(span, token.value)
            case "at":
                self.next()
                return Constant(span, _at_literal(token))
            case "name":
                self.next()
                return Name(span, token.value)
            case "keyword":
                return self.keyword(token)
            case "mark":
                return self.bracket(token)
            case _:
                raise self.wrong("Expected a value")

    def keyword(self, token: Token) -> Node:
        parsers: dict[str, Callable[[int], Node]] = {
            "if": self.if_,
            "for": self.for_,
            "some": self.quantified,
            "every": self.quantified,
            "function": self.function,
        }
        if token.value in _CONSTANTS:
            self.next()
            return Constant((token.start, token.end), _CONSTANTS[token.value])
        if token.value not in parsers:
            raise self.wrong("Expected a value")
        return parsers[token.value](token.start)

    def bracket(self, token: Token) -> Node:
        start = token.start
        match token.value:
            case "?":
                self.next()
                return Name((start, token.end), "?")
            case "(":
                self.next()
                if self.at(*_COMPARATORS):
                    return self.half_open(start)
                node = self.expression()
                if self.at(".."):
                    return self.range_end(start, node, included=False)
                self.expect(")", "after the expression in brackets")
                return node
            case "]":
                self.next()
                return self.range_end(start, self.expression(), included=False)
            case "[":
                return self.list_(start)
            case "{":
                return self.context(start)
            case "=" if self.index == 0:
                raise self.wrong('Expected an expression without a leading "="')
            case _:
                raise self.wrong("Expected a value")

    def list_(self, start: int) -> Node:
        self.next()
        items: list[Node] = []
        while not self.at("]"):
            if items:
                self.expect(",", 'or "]" after an element')
            items.append(self.expression())
            if len(items) == 1 and self.at(".."):
                return self.range_end(start, items[0], included=True)
        self.next()
        return ListLiteral(self.span(start), tuple(items))

    def half_open(self, start: int) -> RangeLiteral:
        """``(> 5)`` as a value: the range of all that is greater."""
        sign = self.next()
        if sign.value == "!=":
            self.index -= 1
            raise self.wrong('Expected "<", "<=", ">", ">=" or "=" in a range of one end')
        operand = self.operators(_ADD)
        self.expect(")", "after the end of the range")
        span = self.span(start)
        nothing = Constant(span, None)
        low = operand if sign.value[0] in ">=" else nothing
        high = operand if sign.value[0] in "<=" else nothing
        return RangeLiteral(span, low, high, sign.value in {">=", "="}, sign.value in {"<=", "="})

    def range_end(self, start: int, low: Node, *, included: bool) -> RangeLiteral:
        self.expect("..", "between the two ends of the range")
        high = self.expression()
        if not self.at("]", ")", "["):
            raise self.wrong('Expected "]" or ")" after the end of the range')
        closing = self.next().value
        return RangeLiteral(self.span(start), low, high, included, closing == "]")

    def context(self, start: int) -> ContextLiteral:
        self.next()
        entries: list[tuple[str, Node]] = []
        while not self.at("}"):
            if entries:
                self.expect(",", 'or "}" after an entry')
            key = self.now
            if key.kind == "text" and self.peek().value == ":":
                name = key.value
                self.next()
                self.next()
            else:
                name = self.key()
            if any(name == known for known, _ in entries):
                raise FeelSyntaxError(
                    "syntax",
                    f'The name "{name}" stands twice in one context.',
                    (key.start, key.end),
                )
            entries.append((name, self.expression()))
        self.next()
        return ContextLiteral(self.span(start), tuple(entries))

    def key(self) -> str:
        """Take ``name:``, where the name may have spaces and signs in it."""
        ahead = self.words_ahead()
        if not ahead or self.peek(ahead).value != ":":
            raise self.wrong('Expected a name and ":"')
        return self.words(ahead)

    def if_(self, start: int) -> If:
        branches: list[tuple[Node, Node]] = []
        while self.take("if"):
            condition = self.expression()
            self.expect("then", "after the condition")
            branches.append((condition, self.expression()))
            self.expect("else", "after the value for the case that the condition holds")
        otherwise = self.expression()
        return If(self.span(start), tuple(branches), otherwise)

    def for_(self, start: int) -> For:
        self.next()
        iterators = self.iterators()
        self.expect("return", "after what is gone through")
        body = self.expression()
        return For(self.span(start), iterators, body)

    def quantified(self, start: int) -> Quantified:
        kind: Literal["some", "every"] = "some" if self.next().value == "some" else "every"
        iterators = self.iterators()
        self.expect("satisfies", "after what is gone through")
        condition = self.expression()
        return Quantified(self.span(start), kind, iterators, condition)

    def iterators(self) -> tuple[Iterator, ...]:
        found: list[Iterator] = []
        while not found or self.take(","):
            start = self.now.start
            name = self.name("for each element")
            self.expect("in", "after the name")
            domain = self.expression()
            end = self.expression() if self.take("..") else None
            found.append(Iterator(self.span(start), name, domain, end))
        return tuple(found)

    def name(self, role: str) -> str:
        if self.now.kind != "name":
            raise self.wrong(f"Expected a name {role}")
        return self.next().value

    def function(self, start: int) -> FunctionLiteral:
        self.next()
        self.expect("(", 'after "function"')
        parameters: list[Parameter] = []
        while not self.at(")"):
            if parameters:
                self.expect(",", 'or ")" after a parameter')
            at = self.now.start
            name = self.name("of a parameter")
            type_ = self.type() if self.take(":") else None
            if any(name == known.name for known in parameters):
                self.index -= 1
                raise self.wrong("Expected another name for each parameter")
            parameters.append(Parameter(self.span(at), name, type_))
        self.next()
        if self.at("external"):
            raise self.wrong("Expected a function body (external functions are not supported)")
        body = self.expression()
        return FunctionLiteral(self.span(start), tuple(parameters), body)

    def type(self) -> TypeRef:
        start = self.now.start
        words: list[str] = []
        while (
            self.now.kind == "name"
            or (
                words
                and self.at("and")
                and " ".join([*words, "and"]) in {"date and", "days and", "years and"}
            )
            or (not words and self.at("function", "null"))
        ):
            words.append(self.next().value)
            if " ".join(words) in _TYPES and not (
                words == ["date"] and self.at("and") and self.peek().value == "time"
            ):
                break
        name = " ".join(words)
        if name not in _TYPES:
            self.index -= bool(words)
            raise self.wrong("Expected a type such as number, string or list<number>")
        self.depth += 1
        arguments: tuple[TypeRef, ...] = ()
        fields: tuple[str, ...] = ()
        if self.depth < MAX_NESTING and self.at("<"):
            arguments, fields = self.type_arguments(named=name == "context")
            if name == "function":
                self.expect("->", "before the type of the result")
                arguments = (*arguments, self.type())
        self.depth -= 1
        return TypeRef(self.span(start), name, arguments, fields)

    def type_arguments(self, *, named: bool) -> tuple[tuple[TypeRef, ...], tuple[str, ...]]:
        self.next()
        arguments: list[TypeRef] = []
        fields: list[str] = []
        while not self.at(">"):
            if arguments:
                self.expect(",", 'or ">" after a type')
            if named:
                label = self.label()
                if not label:
                    raise self.wrong('Expected a name and ":"')
                fields.append(label)
            arguments.append(self.type())
        self.next()
        return tuple(arguments), tuple(fields)

    def unary_tests(self) -> Tests:
        start = self.now.start
        if self.at("-") and self.peek().kind == "end":
            self.next()
            return Tests(self.span(start), ())
        if self.now.value == "not" and self.peek().value == "(":
            self.next()
            self.next()
            tests = self.test_list()
            self.expect(")", "after the tests")
            return Tests(self.span(start), tests, negated=True)
        return Tests((start, self.tokens[-1].end), self.test_list())

    def in_tests(self) -> tuple[Test, ...]:
        if not self.at("("):
            return (self.test(within=True),)
        place = self.index
        start = self.next().start
        first = self.test()
        if self.at(".."):
            interval = self.range_end(start, first.operand, included=False)
            return (Test(interval.span, "", interval),)
        tests = [first]
        while self.take(","):
            tests.append(self.test())
        self.expect(")", "after the tests")
        if len(tests) == 1 and self.at(*_CONTINUES):
            self.index = place  # the brackets were those of an expression: x in (a).b
            return (self.test(within=True),)
        return tuple(tests)

    def test_list(self) -> tuple[Test, ...]:
        tests = [self.test()]
        while self.take(","):
            tests.append(self.test())
        return tuple(tests)

    def test(self, *, within: bool = False) -> Test:
        """One test; ``within`` an expression it ends before ``and``, ``or``."""
        start = self.now.start
        operator = self.next().value if self.at(*_COMPARATORS) else ""
        operand = self.operators(_ADD) if operator or within else self.expression()
        return Test(self.span(start), operator, operand)


def _number(token: Token) -> int | Decimal:
    digits = token.value.replace(".", "").lstrip("0")
    if len(digits) > MAX_DIGITS:
        raise FeelSyntaxError(
            "overflow",
            f"Expected a number of at most {MAX_DIGITS} digits, found {len(digits)}.",
            (token.start, token.end),
        )
    return Decimal(token.value) if "." in token.value else int(digits or "0")


def _at_literal(token: Token) -> object:
    try:
        return temporal.parse_any(token.value)
    except Fault as fault:
        raise FeelSyntaxError("conversion", fault.message, (token.start, token.end)) from None
