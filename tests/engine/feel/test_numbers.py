"""Numbers are those of IEEE 754 decimal128: 34 digits, half to even."""

from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apps.engine.feel import FeelError
from tests.engine.feel.conftest import feel

EXACT = Context(
    prec=34,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[DivisionByZero, InvalidOperation, Overflow],
)

whole = st.integers(-(10**34) + 1, 10**34 - 1)
fractions = st.builds(
    lambda digits, exponent: Decimal((digits < 0, tuple(map(int, str(abs(digits)))), exponent)),
    whole,
    st.integers(-40, 40),
)
numbers = st.one_of(st.integers(-100, 100), whole, fractions)


def value(source, **context: Any) -> Any:
    return feel(source, context)


@given(numbers, numbers)
def test_sums_differences_and_products_are_those_of_decimal128(a, b):
    assert value("a + b", a=a, b=b) == EXACT.add(a, b)
    assert value("a - b", a=a, b=b) == EXACT.subtract(a, b)
    assert value("-a + a", a=a) == 0
    assert value("abs(a) = a or abs(a) = -a", a=a) is True
    assert value("a * b", a=a, b=b) == EXACT.multiply(a, b)


@given(numbers, numbers)
def test_quotients_are_those_of_decimal128(a, b):
    assume(b != 0)
    assert value("a / b", a=a, b=b) == EXACT.divide(Decimal(a), Decimal(b))


@given(numbers, numbers)
def test_comparison_looks_at_the_value_and_not_at_the_digits(a, b):
    assert value("a = b", a=a, b=b) is (a == b)
    assert value("a < b", a=a, b=b) is (a < b)
    assert value("a >= b", a=a, b=b) is (a >= b)
    assert value("a in [b..b]", a=a, b=b) is (a == b)


@given(numbers, st.integers(-50, 50))
def test_powers_are_those_of_decimal128_or_an_error(a, b):
    try:
        zero = Decimal(1) if b == 0 else None if b < 0 else Decimal(0)
        expected = EXACT.power(a, b) if a else zero
    except DecimalException:
        expected = None
    if expected is None:
        with pytest.raises(FeelError) as error:
            value("a ** b", a=a, b=b)
        assert error.value.code in {"overflow", "division_by_zero"}
    else:
        assert value("a ** b", a=a, b=b) == expected


@given(numbers)
def test_text_and_number_convert_back_and_forth(a):
    assert value("number(string(a)) = a", a=a) is True


@given(st.decimals(-1000, 1000, places=6), st.integers(-2, 5))
def test_rounding_agrees_with_decimal(a, scale):
    unit = Decimal((0, (1,), -scale))
    for name, mode in {
        "decimal": "ROUND_HALF_EVEN",
        "floor": "ROUND_FLOOR",
        "ceiling": "ROUND_CEILING",
        "round up": "ROUND_UP",
        "round down": "ROUND_DOWN",
        "round half up": "ROUND_HALF_UP",
        "round half down": "ROUND_HALF_DOWN",
    }.items():
        assert value(f"{name}(a, s)", a=a, s=scale) == a.quantize(unit, rounding=mode)


@given(numbers, st.integers(-1000, 1000))
def test_remainders_have_the_sign_of_the_divisor(a, b):
    assume(b != 0)
    assume(abs(a) < 10**30)
    rest = value("modulo(a, b)", a=a, b=b)
    assert min(b, 0) <= rest <= max(b, 0)
