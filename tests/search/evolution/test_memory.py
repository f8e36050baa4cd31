"""What is kept: each result as soon as it is there, as plain data."""

from __future__ import annotations

import pytest

from posttrain.search.evolution.memory import Memory


def test_each_is_kept_before_the_next_is_computed():
    kept, seen = [], []

    def compute(left):
        for x in left:
            seen.append(len(kept))
            yield {"x": (x,)}

    assert Memory((), kept.append).each("square", [1, 2], compute, str) == [{"x": [1]}, {"x": [2]}]
    assert seen == [0, 1]
    assert kept[1] == {"kind": "square", "of": "2", "result": {"x": [2]}}


def test_what_is_known_comes_first_and_nothing_is_computed_where_all_is():
    known = [{"kind": "square", "of": "1", "result": {"x": 1}}]
    memory = Memory(known)
    assert memory.each("square", [1], pytest.fail, str) == [{"x": 1}]
    assert memory.each("square", [1], lambda left: [{"x": 7}], str) == [{"x": 7}]
