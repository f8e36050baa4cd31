"""Blocks of reasoning, and the grades of a reply."""

from __future__ import annotations

import pytest

from posttrain.judges.options import filled
from posttrain.search.blocks import ACTIONS, BLOCKS, LAST, NEXT, RATING, grades


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("1 2 3 1 2 3 1", (1, 2, 3, 1, 2, 3, 1)),
        ("1, 9 and 0, then 3 2 2 2 1 1", (1, 3, 1, 3, 2, 2, 2)),
        ("3", (3, 2, 2, 2, 2, 2, 2)),
        ("I cannot say.", (2,) * 7),
    ],
)
@pytest.mark.paper("hao2025lc8")
def test_grades_are_seven_numbers_from_one_to_three(reply, expected):
    assert grades(reply) == expected


def test_every_block_is_asked_for_with_the_question_and_the_solution():
    assert ACTIONS[LAST] == "terminate"
    for block in BLOCKS.values():
        assert filled(NEXT, question="q<", solution="s", block=block).endswith(block)
    assert "{" not in filled(RATING, question="q", solution="s")
