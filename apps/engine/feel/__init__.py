"""FEEL, the expression language of OMG DMN 1.5, strict and bounded.

Where FEEL would answer null because of a mistake (a missing path, a wrong type,
a division by zero), this is a ``FeelError`` with code, position, a sentence and
the nearest match. ``get or else(value, default)`` and ``is defined(path)`` say
what may be absent. Numbers are exact decimals of 34 digits.

    expression = compile_expression('trigger.body.amount > 1000')
    expression.paths                      # {("trigger", "body", "amount")}
    expression.evaluate(context, now=now) # True

Pure: the time and zone are arguments, and nothing is read from outside but the
time zone database.
"""

from apps.engine.feel.errors import (
    BudgetExceeded,
    Code,
    FeelError,
    FeelSyntaxError,
    IndexOutOfRange,
    MissingPath,
    Position,
    nearest,
)
from apps.engine.feel.expression import (
    Expression,
    UnaryTests,
    compile_expression,
    compile_unary_tests,
)
from apps.engine.feel.paths import odd_names
from apps.engine.feel.result import to_json
from apps.engine.feel.types import Budget, FeelValue, Function, Months, Range, type_name

__all__ = [
    "Budget",
    "BudgetExceeded",
    "Code",
    "Expression",
    "FeelError",
    "FeelSyntaxError",
    "FeelValue",
    "Function",
    "IndexOutOfRange",
    "MissingPath",
    "Months",
    "Position",
    "Range",
    "UnaryTests",
    "compile_expression",
    "compile_unary_tests",
    "nearest",
    "odd_names",
    "to_json",
    "type_name",
]
