"""A calculator that is exact, and that nothing hurts."""

import pytest

from posttrain.environments.tools.calculator import calculate


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("37 * 48 + 112", "1888"),
        ("(3 + 4) * -2", "-14"),
        ("0.1 + 0.2", "0.3"),
        ("1/3", "0.333333333333"),
        ("6 / 3", "2"),
        ("10.50 - 0.5", "10"),
        (" +7 ", "7"),
        ("10000000000000000000 + 1", "10000000000000000001"),
    ],
)
def test_values(expression, value):
    assert calculate(expression) == value


@pytest.mark.parametrize(
    "expression",
    ["", "1 +", "2 ** 9", "9" * 60, "1e300 * 1e300", "__import__('os')", "x", "True", "1" + "+1" * 400, "'a' * 9",
     "(" * 300 + "1" + ")" * 300, "1 if 1 else 2", "1e999", "f(1)", "1 // 2", "1;2"],
)  # fmt: skip
def test_everything_else_is_an_error(expression):
    with pytest.raises(ValueError):
        calculate(expression)


def test_division_by_zero():
    with pytest.raises(ZeroDivisionError):
        calculate("1 / (2 - 2)")
