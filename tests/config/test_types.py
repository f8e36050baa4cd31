"""Numbers of a run file: quoted ones are numbers, everything else is left for the type to judge."""

import pytest

from posttrain.config.types import number


@pytest.mark.parametrize(
    ("written", "meant"), [("5", 5), (" -3 ", -3), ("1e-6", 1e-6), ("0.5", 0.5), (".5", 0.5), ("1.", 1.0), ("5.0", 5.0)]
)
def test_a_quoted_number(written, meant):
    assert (number(written), type(number(written))) == (meant, type(meant))


@pytest.mark.parametrize("value", ["", "a", "1e", "0x10", "1_000", "nan", "inf", "1 2", True, None, 5, 0.5])
def test_anything_else_stays(value):
    assert number(value) is value
