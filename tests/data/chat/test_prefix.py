"""The beginning that two texts share."""

import pytest

from posttrain.data.chat.prefix import shared


@pytest.mark.parametrize(
    ("a", "b", "size"), [("", "", 0), ("ab", "ab", 2), ("ab", "abc", 2), ("xb", "ab", 0), ("abc", "abd", 2)]
)
def test_shared(a, b, size):
    assert shared(a, b) == shared(b, a) == size
