"""Evaluates the decisions of a DMN model.

Names are those in scope, with their spaces and marks; requirements are evaluated when they
are asked for, each once.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from apps.engine import tables
from apps.engine.feel import (
    FeelError,
    Function,
    Range,
    compile_expression,
    compile_unary_tests,
)
from apps.engine.feel.types import described, is_context
from tools.dmn import model as m
from tools.dmn.reader import read_model
from tools.dmn.types import fitted, with_types, written

__all__ = ["Decisions", "Unsupported", "load"]

NOW: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_MISSING: Final = object()
_HITS: Final = {
    "UNIQUE": "unique", "ANY": "any", "FIRST": "first", "PRIORITY": "priority",
    "RULE ORDER": "collect", "OUTPUT ORDER": "output_order", "COLLECT": "collect",
}  # fmt: skip
_AGGREGATES: Final = {"SUM": "sum", "MIN": "min", "MAX": "max", "COUNT": "count"}


class Unsupported(Exception):
    """The model asks for something that is no part of FEEL here, such as Java."""


class _Scope(dict[str, Any]):
    """The names that an expression sees."""

    def with_names(self, more: Mapping[str, Any]) -> "_Scope":
        return _Scope({**self, **more})


class Decisions:
    """A model with the models it imports, ready to answer."""

    def __init__(self, model: m.Model, imported: Mapping[str, "Decisions"]) -> None:
        self.model = model
        self.imported = imported
        self.types = dict(model.types)
        for name, other in imported.items():
            self.types |= {f"{name}.{key}": value for key, value in other.types.items()}
        self.words = frozenset(_words(self.types.values()))
        for other in imported.values():
            self.words |= other.words | {
                one.name
                for group in (other.model.knowledge, other.model.decisions, other.model.inputs)
                for one in group.values()
            }

    def decision(self, name: str, inputs: Mapping[str, Any]) -> Any:
        """The value of the decision of that name.

        Raises:
            FeelError: It failed.
            TableError: No rule, or too many.
        """
        chosen = next((one for one in self.model.decisions.values() if one.name == name), None)
        if chosen is None:
            raise Unsupported(f"There is no decision {name}.")
        return self._decide(chosen.id, inputs, {})

    def invoke(self, name: str, inputs: Mapping[str, Any]) -> Any:
        """The result of calling a decision service or a knowledge model by its name."""
        for service in self.model.services.values():
            if service.name == name:
                return self._serve(service, inputs)
        for one in self.model.knowledge.values():
            if one.name == name and one.function is not None:
                function = self._knowledge(one.id)
                return function.call([inputs.get(key) for key in function.parameters])
        raise Unsupported(f"There is nothing to call named {name}.")

    def _decide(self, key: str, inputs: Mapping[str, Any], known: dict[str, Any]) -> Any:
        if key in known:
            return known[key]
        namespace, _, local = key.rpartition("#")
        if namespace and namespace != self.model.namespace:
            given = inputs.get(self._alias(namespace))
            inner = {**inputs, **(given or {})} if is_context(given) else inputs
            return self._other(namespace)._decide(local, inner, known)  # noqa: SLF001
        decision = self.model.decisions[local]
        if decision.expression is None:
            return inputs.get(decision.name)
        scope = self._scope(decision, inputs, known)
        value = self._evaluate(decision.expression, scope, decision.name)
        value = fitted(value, decision.type, self.types)
        known[key] = value
        return value

    def _other(self, namespace: str) -> "Decisions":
        for other in self.imported.values():
            if other.model.namespace == namespace:
                return other
        raise Unsupported(f"The model {namespace} is not there.")

    def _scope(
        self, decision: m.Decision, inputs: Mapping[str, Any], known: dict[str, Any]
    ) -> _Scope:
        scope = _Scope()
        for key in decision.inputs:
            namespace, _, local = key.rpartition("#")
            owner = self._owner(namespace)
            entry = owner.model.inputs.get(local)
            if entry is None:
                continue
            names = [owner_name, entry.name] if (owner_name := self._alias(namespace)) else []
            value = self._input(entry, owner, inputs, ".".join(names) or entry.name)
            self._place(scope, namespace, entry.name, value)
        for key in decision.decisions:
            namespace, _, local = key.rpartition("#")
            name = self._owner(namespace).model.decisions[local].name
            self._place(scope, namespace, name, self._decide(key, inputs, known))
        self._bring_knowledge(scope, decision.knowledge)
        return scope

    @staticmethod
    def _input(
        entry: m.Entry, owner: "Decisions", inputs: Mapping[str, Any], full_name: str
    ) -> Any:
        value = inputs.get(full_name, inputs.get(entry.name))
        alias, _, name = full_name.partition(".")
        if value is None and name and is_context(inputs.get(alias)):
            value = inputs[alias].get(name)
        return fitted(value, entry.type, owner.types)

    def _owner(self, namespace: str) -> "Decisions":
        return self if namespace in {"", self.model.namespace} else self._other(namespace)

    def _alias(self, namespace: str) -> str:
        found = (name for name, space in self.model.imports.items() if space == namespace)
        return next(found, "") if namespace else ""

    def _place(self, scope: _Scope, namespace: str, name: str, value: Any) -> None:
        """Put a value under its name; what is imported stands below the import's name."""
        alias = self._alias(namespace)
        if alias:
            scope.setdefault(alias, {})[name] = value
        else:
            scope[name] = value

    def _bring_knowledge(self, scope: _Scope, keys: Iterable[str]) -> None:
        for key in keys:
            namespace, _, local = key.rpartition("#")
            owner = self._owner(namespace)
            if local in owner.model.knowledge:
                function = owner._knowledge(local)  # noqa: SLF001
                self._place(scope, namespace, owner.model.knowledge[local].name, function)
            elif local in owner.model.services:
                service = owner.model.services[local]
                self._place(scope, namespace, service.name, owner._service(service))  # noqa: SLF001

    def _knowledge(self, key: str) -> Function:
        model = self.model.knowledge[key]
        function = model.function
        if function is None:
            raise Unsupported(f"{model.name} has no logic.")
        self._refuse_external(function)
        scope = _Scope()
        ready: list[bool] = []

        def call(values: Any) -> Any:
            if not ready:  # only now, since knowledge may require itself
                ready.append(True)
                self._bring_knowledge(scope, model.knowledge)
            result = self._call(function, scope, values, model.name)
            return fitted(result, model.type, self.types)

        names = tuple(one.name for one in function.parameters)
        types = tuple(written(one.type, self.types) for one in function.parameters)
        return Function(names, call, types=types, result=written(model.type, self.types))

    def _service(self, service: m.Service) -> Function:
        names = [self._owner("").model.inputs[key].name for key in service.inputs]
        names += [self.model.decisions[key].name for key in service.decisions]

        def call(values: Any) -> Any:
            return self._serve(service, dict(zip(names, values, strict=True)))

        return Function(tuple(names), call)

    def _serve(self, service: m.Service, inputs: Mapping[str, Any]) -> Any:
        known = {
            key: fitted(
                inputs.get(self.model.decisions[key].name),
                self.model.decisions[key].type,
                self.types,
            )
            for key in service.decisions
        }
        found = {
            self.model.decisions[key].name: self._decide(key, inputs, known)
            for key in service.outputs
        }
        return next(iter(found.values())) if len(found) == 1 else found

    def _evaluate(self, expression: m.Expression | None, scope: _Scope, name: str = "") -> Any:
        match expression:
            case None:
                return None
            case m.Literal(text=text):
                return self._feel(text, scope)
            case m.Context():
                return self._context(expression, scope)
            case m.Invocation():
                return self._invoke(expression, scope)
            case m.FunctionBox():
                self._refuse_external(expression)
                parameters = tuple(one.name for one in expression.parameters)
                types = tuple(written(one.type, self.types) for one in expression.parameters)
                call = partial(self._call, expression, scope)
                return Function(parameters, call, types=types)
            case m.Relation(columns=columns, rows=rows):
                return [
                    {
                        key: self._evaluate(cell, scope)
                        for key, cell in zip(columns, row, strict=True)
                    }
                    for row in rows
                ]
            case m.Sequence(items=items):
                return [self._evaluate(item, scope) for item in items]
            case m.Branch():
                return self._branch(expression, scope)
            case m.Loop():
                return self._loop(expression, scope)
            case m.FilterBox():
                return self._filter(expression, scope)
            case m.Table():
                return self._decide_table(expression, scope, name)

    def _feel(self, text: str, scope: _Scope) -> Any:
        names = frozenset(scope) | self.words
        source = with_types(text, self.types)
        return compile_expression(source, names=names).evaluate(scope, now=NOW)

    def _context(self, expression: m.Context, scope: _Scope) -> Any:
        found: dict[str, Any] = {}
        inner = scope
        for entry in expression.entries:
            value = fitted(self._evaluate(entry.value, inner, entry.name), entry.type, self.types)
            if not entry.name:
                return value
            found[entry.name] = value
            inner = inner.with_names({entry.name: value})
        return found

    def _invoke(self, expression: m.Invocation, scope: _Scope) -> Any:
        given = {one.name: self._evaluate(one.value, scope) for one in expression.bindings}
        if isinstance(expression.callee, m.Literal):
            # A built-in function has no value of its own: it is called by name.
            text = expression.callee.text.strip()
            inner = scope.with_names({f"argument {i}": v for i, v in enumerate(given.values())})
            named = ", ".join(f"{key}: argument {i}" for i, key in enumerate(given))
            return self._feel(f"{text}({named})", inner)
        callee = self._evaluate(expression.callee, scope)
        if type(callee) is not Function or set(given) != set(callee.parameters):
            raise FeelError("bad_arguments", f"Cannot call {described(callee)} so.", (0, 0))
        return callee.call([given[name] for name in callee.parameters])

    def _call(self, function: m.FunctionBox, scope: _Scope, values: Any, name: str = "") -> Any:
        given = {
            parameter.name: fitted(value, parameter.type, self.types)
            for parameter, value in zip(function.parameters, values, strict=True)
        }
        result = self._evaluate(function.body, scope.with_names(given), name)
        return fitted(result, function.result, self.types)

    @staticmethod
    def _refuse_external(function: m.FunctionBox) -> None:
        if function.kind not in {"", "FEEL"}:
            raise Unsupported("External functions (Java, PMML) are not run.")

    def _condition(self, expression: m.Expression | None, scope: _Scope) -> bool:
        value = self._evaluate(expression, scope)
        if value is True or value is False:
            return value
        raise FeelError("not_boolean", f"Expected true or false, found {described(value)}.", (0, 0))

    def _branch(self, expression: m.Branch, scope: _Scope) -> Any:
        chosen = self._condition(expression.condition, scope)
        return self._evaluate(expression.then if chosen else expression.otherwise, scope)

    def _elements(self, domain: m.Expression | None, scope: _Scope) -> list[Any]:
        value = self._evaluate(domain, scope)
        if type(value) is Range:
            inner = scope.with_names({"the range": value})
            return self._feel("for each in the range return each", inner)  # type: ignore[no-any-return]
        if type(value) is list:
            return value
        raise FeelError("wrong_type", f"Expected a list, found {described(value)}.", (0, 0))

    def _loop(self, expression: m.Loop, scope: _Scope) -> Any:
        found: list[Any] = []
        for value in self._elements(expression.domain, scope):
            names = {expression.variable: value, "partial": found}
            inner = scope.with_names(
                names if expression.kind == "for" else {expression.variable: value}
            )
            if expression.kind == "for":
                found = [*found, self._evaluate(expression.body, inner)]
            elif self._condition(expression.body, inner) is not (expression.kind == "every"):
                return expression.kind == "some"
        return found if expression.kind == "for" else expression.kind == "every"

    def _filter(self, expression: m.FilterBox, scope: _Scope) -> Any:
        value = self._evaluate(expression.domain, scope)
        if type(value) is not list:
            raise FeelError("wrong_type", f"Expected a list, found {described(value)}.", (0, 0))
        found = []
        for item in value:
            fields = dict(item) if is_context(item) else {}
            verdict = self._evaluate(expression.match, scope.with_names({"item": item, **fields}))
            if verdict is not True and verdict is not False:
                if isinstance(verdict, int):
                    return self._feel(
                        "the list[the place]",
                        scope.with_names({"the list": value, "the place": verdict}),
                    )
                message = f"Expected true or false, found {described(verdict)}."
                raise FeelError("not_boolean", message, (0, 0))
            if verdict:
                found.append(item)
        return found

    def _decide_table(self, table: m.Table, scope: _Scope, name: str) -> Any:
        names = frozenset(scope) | self.words
        values = []
        for text, permitted in table.inputs:
            value = self._feel(text, scope)
            if permitted.strip() and value is not None:
                tests = compile_unary_tests(permitted, names=names)
                if not tests.hold(value, scope, now=NOW):
                    message = f"Expected one of {permitted}, found {described(value)}."
                    raise tables.TableError("not_permitted", message)
            values.append(value)
        single = len(table.outputs) == 1
        outputs = [
            name if single else one.name or name or f"output {index}"
            for index, one in enumerate(table.outputs)
        ]
        rules = [self._rule(row, values, scope, outputs) for row in table.rows]
        defaults = None
        if any(one.default.strip() for one in table.outputs):
            defaults = {
                key: self._feel(one.default, scope) if one.default.strip() else None
                for key, one in zip(outputs, table.outputs, strict=True)
            }
        result = tables.decide(
            rules,
            hit=_HITS[table.hit],  # type: ignore[arg-type]
            aggregate=_AGGREGATES.get(table.aggregate),  # type: ignore[arg-type]
            outputs=outputs,
            default=defaults,
            order=[self._order(one.values, scope, names) for one in table.outputs],
        )
        return _unwrapped(result, outputs[0]) if single else result

    def _rule(
        self, row: m.Row, values: list[Any], scope: _Scope, outputs: list[str]
    ) -> tables.Rule:
        names = frozenset(scope) | self.words

        def matches() -> bool:
            return all(
                compile_unary_tests(text or "-", names=names).hold(value, scope, now=NOW)
                for text, value in zip(row.when, values, strict=True)
            )

        def result() -> dict[str, Any]:
            return {
                key: self._feel(text, scope) if text.strip() else None
                for key, text in zip(outputs, row.then, strict=True)
            }

        return tables.Rule(matches, result)

    def _order(self, text: str, scope: _Scope, names: frozenset[str]) -> list[Any]:
        """The permitted results, the most wanted first."""
        if not text.strip():
            return []
        return compile_expression(f"[{text}]", names=names).evaluate(scope, now=NOW)  # type: ignore[return-value]


def _unwrapped(result: Any, name: str) -> Any:
    if type(result) is list:
        return [one[name] for one in result]
    return result[name] if isinstance(result, dict) else result


def _words(types: Iterable[m.ItemType]) -> Iterable[str]:
    """Names of components that are more than a word."""
    for type_ in types:
        for component in type_.components:
            yield component.name
            yield from _words([component])


def load(path: Path) -> Decisions:
    """Read a model and those beside it that it imports."""
    model = read_model(path)
    if not model.imports:
        return Decisions(model, {})
    beside = [read_model(other) for other in path.parent.glob("*.dmn") if other != path]
    by_namespace: dict[str, Path] = {}
    for other, one in zip((p for p in path.parent.glob("*.dmn") if p != path), beside, strict=True):
        by_namespace[one.namespace] = other
    find: Callable[[str], Decisions] = lambda space: load(by_namespace[space])  # noqa: E731
    return Decisions(
        model,
        {name: find(space) for name, space in model.imports.items() if space in by_namespace},
    )
