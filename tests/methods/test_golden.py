"""Every row of the golden table (tests/methods/golden) holds."""

import pytest

from tests.methods.golden import ROWS


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_golden(row):
    row.check()
