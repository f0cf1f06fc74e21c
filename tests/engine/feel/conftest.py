import gc
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.engine.feel import Budget, FeelError, compile_expression
from apps.engine.values import loads

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # half an hour after Europe's clocks jump

CONTEXT: Any = loads("""{
    "trigger": {"body": {
        "amount": 1250, "tier": "gold", "none": null, "odd key": 7, "when": "2026-03-01",
        "items": [
            {"sku": "a", "qty": 2, "price": 10.25},
            {"sku": "b", "qty": 1, "price": 99.99}
        ],
        "words": ["x", "y"]
    }},
    "steps": {"size": {"output": {"port": "large"}}},
    "limit": 50
}""")


def feel(source, context=CONTEXT, *, zone="Europe/Berlin", **limits) -> Any:
    """The value of an expression, half an hour after Berlin's clocks have jumped."""
    budget = Budget(**limits) if limits else None
    return compile_expression(source).evaluate(context, now=NOW, zone=zone, budget=budget)


@pytest.fixture
def evaluate():
    return feel


@pytest.fixture
def failure(evaluate):
    """The error of an expression that must fail, as code and the piece of source it points at."""

    def run(source, *args, **options):
        with pytest.raises(FeelError) as caught:
            evaluate(source, *args, **options)
        error = caught.value
        start, end = error.position
        assert 0 <= start <= end <= len(source)
        assert error.message
        return error

    return run


@pytest.fixture(scope="package", autouse=True)
def _what_was_there_before():
    """What other tests left in this process is not searched for garbage while time is taken."""
    gc.freeze()
    yield
    gc.unfreeze()
