"""Turns a syntax tree into closures, and notes every path that is read.

Names are resolved here, once: a local becomes a slot of the ``Env``, anything
else a path of the root context. Only in a filter a name may be either a field of
the element or something outside, which the closure finds out as it runs.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias, cast

from apps.engine.feel import ast, closures, instances, loops, operators
from apps.engine.feel.builtins import BUILTINS, Signature, select
from apps.engine.feel.errors import Fault, FeelError, FeelSyntaxError, Position, nearest
from apps.engine.feel.paths import Closure, Env, Step, follow, missing_name, read_root
from apps.engine.feel.types import NUMBERS, Function

__all__ = ["ROOTS", "Compiled", "compile_node", "compile_tests"]

Path: TypeAlias = tuple[str, ...]

# These names always mean the root context, also where an element has such a field.
ROOTS: Final = frozenset({"trigger", "steps", "run"})
_FIRST_SLOT: Final = 2  # after the root context and the meter
_TAKE_FUNCTIONS: Final = frozenset(
    name
    for name, ways in BUILTINS.items()
    if any(Function in (parameter.types or ()) for way in ways for parameter in way.parameters)
)


class _Local(NamedTuple):
    """A name with its slot."""

    name: str
    slot: int


class _Element(NamedTuple):
    """The element that a filter looks at: its fields are names too."""

    slot: int


class _Place(NamedTuple):
    """Where a name is found: fields of these elements first, then here (or the root)."""

    elements: tuple[int, ...]
    slot: int | None


@dataclass(slots=True)
class Compiled:
    """What a source was compiled into.

    Attributes:
        run: The closure.
        slots: How many locals its ``Env`` needs.
        cost: The operations of one run without its loops.
        read: The paths that must be there.
        guarded: The paths that may be missing.
        possible: The paths in filters that are the root's only if the elements
            have no such field.
    """

    run: Closure
    slots: int
    cost: int
    read: frozenset[Path]
    guarded: frozenset[Path]
    possible: frozenset[Path]


def compile_node(source: str, node: ast.Node, names: frozenset[str]) -> Compiled:
    """Compile an expression; ``names`` are names of the root that may be called.

    Raises:
        FeelSyntaxError: An unknown function, or arguments that do not fit.
    """
    compiler = _Compiler(source, names)
    return compiler.done(compiler.compile(node))


def compile_tests(source: str, tests: ast.Tests, names: frozenset[str]) -> Compiled:
    """Compile unary tests; the input is in the first slot."""
    compiler = _Compiler(source, names)
    with compiler.local("?") as slot:
        checks = [compiler.test(test) for test in tests.tests]
    if not checks:
        return compiler.done(lambda _env: True)
    hold = closures.matches(itemgetter(slot), checks)
    return compiler.done((lambda env: not hold(env)) if tests.negated else hold)


@dataclass(slots=True)
class _Compiler:
    source: str
    names: frozenset[str]
    scope: list[_Local | _Element] = field(default_factory=list)
    next_slot: int = _FIRST_SLOT
    most_slots: int = _FIRST_SLOT
    cost: int = 0
    guards: int = 0
    muted: int = 0
    assumed: list[Path] = field(default_factory=list)
    read: set[Path] = field(default_factory=set)
    guarded: set[Path] = field(default_factory=set)
    possible: set[Path] = field(default_factory=set)

    def done(self, run: Closure) -> Compiled:
        return Compiled(
            run,
            self.most_slots - _FIRST_SLOT,
            self.cost,
            frozenset(self.read),
            frozenset(self.guarded - self.read),
            frozenset(self.possible),
        )

    def compile(self, node: ast.Node) -> Closure:
        self.cost += 1
        return cast("Closure", getattr(self, _METHODS[type(node)])(node))

    def priced(self, node: ast.Node) -> tuple[Closure, int]:
        """A closure that runs many times, and what each run costs."""
        before = self.cost
        closure = self.compile(node)
        cost, self.cost = self.cost - before, before
        return closure, cost

    @contextmanager
    def local(self, *names: str) -> Iterator[int]:
        """Bring names into scope; yields the slot of the first."""
        first = self.next_slot
        self.scope.extend(_Local(name, first + index) for index, name in enumerate(names))
        self.next_slot += len(names)
        self.most_slots = max(self.most_slots, self.next_slot)
        yield first
        self.next_slot = first
        del self.scope[len(self.scope) - len(names) :]

    @contextmanager
    def element(self) -> Iterator[int]:
        """Bring an element and its fields into scope; yields its slot."""
        slot = self.next_slot
        self.scope.append(_Element(slot))
        self.next_slot += 1
        self.most_slots = max(self.most_slots, self.next_slot)
        yield slot
        self.next_slot = slot
        self.scope.pop()

    def find(self, name: str) -> _Place:
        if name in ROOTS:
            return _Place((), None)
        elements: list[int] = []
        for entry in reversed(self.scope):
            if isinstance(entry, _Local):
                if entry.name == name:
                    return _Place(tuple(elements), entry.slot)
                continue
            elements.append(entry.slot)
            if name == "item":
                return _Place(tuple(elements), entry.slot)
        return _Place(tuple(elements), None)

    def shown(self, node: ast.Node) -> str:
        """What stands in the source, for a message."""
        text = " ".join(self.source[slice(*node.span)].split())
        return (text if len(text) <= 40 else f"{text[:37]}…").replace('"', "'")

    def note(self, path: Path) -> None:
        """Remember that the expression reads a path of the root."""
        if self.muted:
            return
        sure = any(path[: len(known)] == known[: len(path)] for known in self.assumed)
        (self.guarded if self.guards or sure else self.read).add(path)

    def constant(self, node: ast.Constant) -> Closure:
        value = node.value
        return lambda _env: value

    def name(self, node: ast.Name) -> Closure:
        return self.path(node, ())

    def member(self, node: ast.Member) -> Closure:
        steps: list[Step] = []
        base: ast.Node = node
        while isinstance(base, ast.Member):
            steps.append((base.name, base.name_span))
            base = base.base
        steps.reverse()
        if isinstance(base, ast.Name):
            return self.path(base, steps)
        static = _odd_path(base)
        if static is not None and self.find(static[0]) == _Place((), None):
            self.note((*static, *(name for name, _ in steps)))
            self.muted += 1  # the whole path is noted; its beginning is not another
            closure = self.compile(base)
            self.muted -= 1
        else:
            closure = self.compile(base)
        return follow(closure, steps, self.shown(base))

    def path(self, base: ast.Name, steps: Sequence[Step]) -> Closure:
        place = self.find(base.name)
        full = ((base.name, base.span), *steps)
        names = tuple(name for name, _ in full)
        if not place.elements:
            if place.slot is None:
                self.note(names)
                return read_root(full)
            start: Closure = itemgetter(place.slot)
            if base.name == "partial":
                start = loops.copied(start)
        else:
            if place.slot is None:
                self.possible.add(names)
            start = self.either(base, place)
        return follow(start, steps, base.name) if steps else start

    def value(self, node: ast.Node) -> Closure:
        """A part that may be a built-in function, by its name alone: an argument, an entry."""
        if (
            isinstance(node, ast.Name)
            and node.name in BUILTINS
            and node.name not in self.names
            and self.find(node.name).slot is None
        ):
            self.cost += 1
            return loops.built_in(node.name)
        return self.compile(node)

    def either(self, node: ast.Name, place: _Place) -> Closure:
        """A name that is a field of an element, or else stands outside."""
        name, span = node.name, node.span
        elements, slot = place

        def run(env: Env) -> Any:
            for element in elements:
                try:
                    return env[element][name]
                except (KeyError, TypeError, IndexError):
                    continue
            if slot is not None:
                return env[slot]
            try:
                return env[0][name]
            except KeyError:
                item = env[elements[0]]
                known = [*(item if isinstance(item, dict) else ()), *env[0]]
                raise missing_name(name, span, known) from None

        return run

    def list_(self, node: ast.ListLiteral) -> Closure:
        items = [self.value(item) for item in node.items]
        return lambda env: [item(env) for item in items]

    def context(self, node: ast.ContextLiteral) -> Closure:
        with self.local(*(name for name, _ in node.entries)) as first:
            # An entry sees the earlier ones, so its own name comes into scope after it.
            hidden = self.scope[len(self.scope) - len(node.entries) :]
            del self.scope[len(self.scope) - len(node.entries) :]
            entries: list[tuple[str, int, Closure]] = []
            for index, (name, value) in enumerate(node.entries):
                entries.append((name, first + index, self.value(value)))
                self.scope.append(hidden[index])

        def run(env: Env) -> dict[str, Any]:
            found = {}
            for name, slot, value in entries:
                env[slot] = found[name] = value(env)
            return found

        return run

    def range_(self, node: ast.RangeLiteral) -> Closure:
        low, high = self.compile(node.start), self.compile(node.end)
        return closures.interval(low, high, node.span, (node.start_included, node.end_included))

    def chain(self, node: ast.Chain) -> Closure:
        first = self.compile(node.first)
        start = node.first.span[0]
        rest = [(sign, self.compile(n), (start, n.span[1])) for sign, n in node.rest]
        if len(rest) == 1:
            sign, operand, span = rest[0]
            return closures.arithmetic(first, operand, sign, span)
        return closures.chain(first, rest)

    def negation(self, node: ast.Negation) -> Closure:
        if isinstance(node.operand, ast.Constant) and type(node.operand.value) in NUMBERS:
            value = operators.negate(node.operand.value)
            return lambda _env: value
        return closures.negation(self.compile(node.operand), node.span)

    def comparison(self, node: ast.Comparison) -> Closure:
        left, right = self.compile(node.left), self.compile(node.right)
        return closures.comparison(left, right, node.operator, node.span)

    def between(self, node: ast.Between) -> Closure:
        operand = self.compile(node.operand)
        low, high = self.compile(node.low), self.compile(node.high)
        return closures.between(operand, low, high, node.span)

    def in_(self, node: ast.In) -> Closure:
        operand = self.compile(node.operand)
        with self.local("?") as slot:
            tests = [self.test(test) for test in node.tests]
            held = closures.kept(operand, slot)
        return closures.matches(held, tests)

    def test(self, node: ast.Test) -> Callable[[Env, Any], bool]:
        operand = self.compile(node.operand)
        if node.operator:
            return closures.compared(node.operator, operand, node.span)
        if _mentions_input(node.operand):
            condition = closures.boolean(operand, node.span, "as the result of the test")
            return lambda env, _value: condition(env)
        return closures.included(operand, node.span, is_condition=type(node.operand) in _CONDITIONS)

    def logic(self, node: ast.Logic) -> Closure:
        known = len(self.assumed)
        operands: list[tuple[Closure, Position]] = []
        for operand in node.operands:
            operands.append((self.compile(operand), operand.span))
            if node.operator == "and":
                self.assumed.extend(self.surely_defined(operand))
        del self.assumed[known:]
        return closures.conjunction(operands, every=node.operator == "and")

    def if_(self, node: ast.If) -> Closure:
        branches: list[tuple[Closure, Closure, Position]] = []
        for condition, value in node.branches:
            tested = self.compile(condition)
            known = len(self.assumed)
            self.assumed.extend(self.surely_defined(condition))
            branches.append((tested, self.compile(value), condition.span))
            del self.assumed[known:]
        return closures.conditional(branches, self.compile(node.otherwise))

    def surely_defined(self, condition: ast.Node) -> list[Path]:
        """The paths that are there wherever the condition holds."""
        if isinstance(condition, ast.Logic) and condition.operator == "and":
            return [path for part in condition.operands for path in self.surely_defined(part)]
        if isinstance(condition, ast.Call) and _callee(condition) == "is defined":
            path = _static_path(condition.arguments[0]) if condition.arguments else None
            if path is not None and self.find(path[0]) == _Place((), None):
                return [path]
        return []

    def instance_of(self, node: ast.InstanceOf) -> Closure:
        operand = self.value(node.operand)
        accepts = instances.checker(node.type)
        return lambda env: accepts(operand(env))

    def filter(self, node: ast.Filter) -> Closure:
        base = self.compile(node.base)
        inner = node.predicate.span
        if _is_index(node.predicate):
            return loops.indexed(base, self.compile(node.predicate), node.base.span, inner)
        with self.element() as slot:
            predicate, cost = self.priced(node.predicate)
        return loops.filtered(base, predicate, slot, cost, (node.base.span, inner))

    def for_(self, node: ast.For) -> Closure:
        with self.local("partial") as partial, self.iterating(node.iterators) as turns:
            body, cost = self.priced(node.body)
            return loops.for_each(turns, body, partial, cost, node.span)

    def quantified(self, node: ast.Quantified) -> Closure:
        every = node.kind == "every"
        with self.iterating(node.iterators) as turns:
            condition, cost = self.priced(node.condition)
            held = closures.boolean(condition, node.condition.span, 'after "satisfies"')
            return loops.quantified(turns, held, cost, node.span, every=every)

    @contextmanager
    def iterating(self, iterators: Sequence[ast.Iterator]) -> Iterator[loops.Loops]:
        """Bring the loops' names into scope; a later domain sees the earlier names."""
        found: list[tuple[int, Closure]] = []
        scope, slot = len(self.scope), self.next_slot
        for iterator in iterators:
            domain = self.compile(iterator.domain)
            if iterator.end is None:
                run = loops.listed(domain, iterator.domain.span)
            else:
                span = (iterator.domain.span[0], iterator.end.span[1])
                run = loops.stepped(domain, self.compile(iterator.end), span)
            found.append((self.next_slot, run))
            self.scope.append(_Local(iterator.name, self.next_slot))
            self.next_slot += 1
            self.most_slots = max(self.most_slots, self.next_slot)
        yield found
        self.next_slot = slot
        del self.scope[scope:]

    def function(self, node: ast.FunctionLiteral) -> Closure:
        names = [parameter.name for parameter in node.parameters]
        with self.local(*names) as first:
            body, cost = self.priced(node.body)
        parameters = [
            (p.name, first + index, instances.requirement(p))
            for index, p in enumerate(node.parameters)
        ]
        types = tuple(instances.written(p.type) if p.type else "Any" for p in node.parameters)
        return loops.function(parameters, types, body, cost, node.span)

    def call(self, node: ast.Call) -> Closure:
        name = _callee(node)
        if name is not None and name in _FORMS and self.find(name) == _Place((), None):
            return _FORMS[name](self, node)
        if name is not None and self.find(name).slot is None and name not in self.names:
            if name in BUILTINS:
                return self.built_in(name, node)
            raise self.unknown_function(name, node)
        callee = self.compile(node.callee)
        arguments = [self.value(argument) for argument in node.arguments]
        return loops.call_function(callee, arguments, node.names, node.span)

    def unknown_function(self, name: str, node: ast.Call) -> FeelSyntaxError:
        locals_ = [entry.name for entry in self.scope if isinstance(entry, _Local)]
        near = nearest(name, [*BUILTINS, *_FORMS, *locals_])
        return FeelSyntaxError(
            "unknown_function", f'There is no function "{name}".', node.callee.span, near
        )

    def built_in(self, name: str, node: ast.Call) -> Closure:
        path = _odd_path(node)
        if path is not None and self.find(path[0]) == _Place((), None):
            self.note(path)
            self.muted += 1
            arguments = [self.compile(argument) for argument in node.arguments]
            self.muted -= 1
        else:
            read = self.value if name in _TAKE_FUNCTIONS else self.compile
            arguments = [read(argument) for argument in node.arguments]
        try:
            way, order = select(name, len(arguments), node.names)
        except Fault as fault:
            raise FeelSyntaxError(fault.code, fault.message, node.span) from None
        ordered = [arguments[i] for i in order]
        spans = [node.arguments[i].span for i in order]
        return _invocation(way, ordered, spans, node.span)

    def is_defined(self, node: ast.Call) -> Closure:
        if len(node.arguments) != 1:
            raise _bad_form("is defined(path)", node)
        self.guards += 1
        operand = self.compile(node.arguments[0])
        self.guards -= 1
        return closures.defined(operand)

    def get_or_else(self, node: ast.Call) -> Closure:
        if len(node.arguments) != 2:
            raise _bad_form("get or else(value, default)", node)
        self.guards += 1
        operand = self.compile(node.arguments[0])
        self.guards -= 1
        return closures.or_else(operand, self.compile(node.arguments[1]))


_METHODS: Final[dict[type, str]] = {
    ast.Between: "between",
    ast.Call: "call",
    ast.Chain: "chain",
    ast.Comparison: "comparison",
    ast.Constant: "constant",
    ast.ContextLiteral: "context",
    ast.Filter: "filter",
    ast.For: "for_",
    ast.FunctionLiteral: "function",
    ast.If: "if_",
    ast.In: "in_",
    ast.InstanceOf: "instance_of",
    ast.ListLiteral: "list_",
    ast.Logic: "logic",
    ast.Member: "member",
    ast.Name: "name",
    ast.Negation: "negation",
    ast.Quantified: "quantified",
    ast.RangeLiteral: "range_",
}
# What stands in a cell and is itself true or false holds or not, whatever the input is.
_CONDITIONS: Final = frozenset(
    {ast.Comparison, ast.Between, ast.In, ast.Logic, ast.InstanceOf, ast.Quantified, ast.Call}
)
_FORMS: Final[dict[str, Callable[[_Compiler, ast.Call], Closure]]] = {
    "is defined": _Compiler.is_defined,
    "get or else": _Compiler.get_or_else,
}


def _bad_form(expected: str, node: ast.Call) -> FeelSyntaxError:
    count = len(node.arguments)
    message = f"Expected {expected}, found {count} argument{'' if count == 1 else 's'}."
    return FeelSyntaxError("bad_arguments", message, node.span)


def _callee(node: ast.Call) -> str | None:
    return node.callee.name if isinstance(node.callee, ast.Name) else None


def _static_path(node: ast.Node) -> Path | None:
    """The path that a node reads, where the source alone tells it."""
    if isinstance(node, ast.Name):
        return (node.name,)
    if isinstance(node, ast.Member):
        base = _static_path(node.base)
        return None if base is None else (*base, node.name)
    return _odd_path(node)


def _odd_path(node: ast.Node) -> Path | None:
    """The path of ``get value(path, "odd key")``."""
    if not isinstance(node, ast.Call) or _callee(node) != "get value":
        return None
    if len(node.arguments) != 2 or any(node.names):
        return None
    source, key = node.arguments
    base = _static_path(source)
    if base is None or not isinstance(key, ast.Constant) or type(key.value) is not str:
        return None
    return (*base, key.value)


def _is_index(node: ast.Node) -> bool:
    """Whether the source shows that a bracket holds a number and no condition."""
    match node:
        case ast.Constant(value=value):
            return type(value) in NUMBERS
        case ast.Negation() | ast.Chain():
            return True
        case ast.Call(callee=ast.Name(name="count")):
            return True
        case _:
            return False


def _mentions_input(node: ast.Node) -> bool:
    """Whether a unary test speaks of its input as ``?``."""
    if isinstance(node, ast.Name):
        return node.name == "?"
    return any(
        _mentions_input(part) for name in node.__slots__ for part in _nodes(getattr(node, name))
    )


def _nodes(part: Any) -> Iterator[ast.Node]:
    if type(part) in _METHODS:
        yield part
    elif isinstance(part, tuple):
        for inner in part:
            yield from _nodes(inner)
    elif isinstance(part, (ast.Test, ast.Iterator)):
        for name in part.__slots__:
            yield from _nodes(getattr(part, name))


def _invocation(
    way: Signature, arguments: Sequence[Closure], spans: Sequence[Position], span: Position
) -> Closure:
    """Call a built-in function where it stands in the source."""
    invoke = way.invoke

    def run(env: Env) -> Any:
        values = [argument(env) for argument in arguments]
        try:
            return invoke(env[1], values)
        except Fault as fault:
            raise _placed(fault, spans, span) from None

    return run


def _placed(fault: Fault, spans: Sequence[Position], span: Position) -> FeelError:
    inside = fault.argument is not None and fault.argument < len(spans)
    return fault.at(spans[fault.argument or 0] if inside else span)
