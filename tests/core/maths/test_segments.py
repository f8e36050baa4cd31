"""Segments of the trained tokens of each row."""

import pytest
import torch

from posttrain.core.maths.segments import Segments
from posttrain.core.rows import Rows

pytestmark = pytest.mark.usefixtures("float64")

ROWS = Rows(
    torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 2, 2]), torch.tensor([0, 1, 0, 1, 1, 0, 0, 0, 1, 1], dtype=torch.bool), 3
)
STARTS = torch.tensor([1.0, 0, 1, 0, 1, 1, 1, 1, 0, 0])
X = torch.tensor([float("nan"), 2, float("nan"), 3, 5, float("nan"), 0, 0, 7, 11]).double()
SEGMENTS = Segments.of(STARTS, ROWS)


def test_a_segment_begins_at_a_start_and_with_a_row_and_skips_what_is_not_trained():
    assert SEGMENTS.sum(X).tolist() == [5, 5, 18]
    assert SEGMENTS.length().tolist() == [2, 1, 2]
    assert SEGMENTS.rows.index.tolist() == [0, 0, 2]
    assert SEGMENTS.rows.count == 3
    assert SEGMENTS.position().tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 1]


def test_first_last_and_back():
    assert SEGMENTS.first(X).tolist() == [2, 5, 7]
    assert SEGMENTS.last(X).tolist() == [3, 5, 11]
    assert SEGMENTS.spread(torch.tensor([1.0, 2.0, 3.0])).tolist() == [0, 1, 0, 1, 2, 0, 0, 0, 3, 3]


def test_one_segment_is_the_row_and_segments_of_one_token_are_the_tokens():
    whole = Segments.of(torch.zeros(10), ROWS)
    assert whole.sum(X).tolist() == ROWS.sum(torch.nan_to_num(X))[[0, 2]].tolist()
    each = Segments.of(torch.ones(10), ROWS)
    assert torch.equal(each.spread(each.sum(X)), torch.where(ROWS.mask, X, 0))


def test_nothing_trained():
    none = Segments.of(STARTS, Rows(ROWS.index, torch.zeros(10, dtype=torch.bool), 3))
    assert none.sum(X).tolist() == []
    assert none.spread(torch.zeros(0)).tolist() == [0] * 10
