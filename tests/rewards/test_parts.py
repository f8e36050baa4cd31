"""Parts that a pattern finds, and those between them: end to end over the whole answer."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.rewards.bundled.parts import parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ab<m>c\nd</m>e", [(0, 2, -1.0), (2, 12, 2.0), (12, 13, -1.0)]),
        ("<m>a</m><m>b</m>", [(0, 8, 2.0), (8, 16, 2.0)]),
        ("<m>never closed", [(0, 15, -1.0)]),
        ("", []),
    ],
)
def test_parts(text, expected):
    assert list(parts([text], pattern="<m>.*?</m>")[0]) == expected


def test_an_empty_match_is_no_part_and_a_bad_pattern_an_error():
    assert list(parts(["ab"], pattern="x*")[0]) == [(0, 2, -1.0)]
    with pytest.raises(ConfigError, match="no regular expression"):
        parts([""], pattern="(")
