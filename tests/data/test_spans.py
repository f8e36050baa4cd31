"""Spans of an answer's text in a column become numbers of its tokens."""

import pytest

from posttrain.data.numeric_columns import numbers
from posttrain.data.spans import values_at
from posttrain.errors import DataError
from posttrain.records import Span, Spans

WANTED = {"highlight": "T"}


def test_golden_each_token_has_the_sum_of_the_spans_that_it_has_a_character_of():
    spans = (Span(0, 3, 1.0), Span(2, 5, -0.25))
    assert values_at(spans, [2, 4, 4, 5, 9]) == (1.0, 0.75, -0.25, -0.25, 0.0)
    assert values_at((), [2, 4]) == (0.0, 0.0)


def test_spans_are_read_and_checked():
    column = {"highlight": [{"start": 1, "end": 3, "value": 2}]}
    assert numbers(column, WANTED) == {"highlight": Spans([Span(1, 3, 2.0)])}
    assert numbers({"highlight": []}, WANTED) == {"highlight": Spans()}
    assert numbers({"highlight": [1, 2.5]}, WANTED) == {"highlight": (1.0, 2.5)}
    for wrong in (
        {"start": 1, "end": 3},
        {"start": 1, "end": 3, "value": "x"},
        {"start": 1, "end": 3, "value": 1, "x": 2},
    ):
        with pytest.raises(DataError, match=r"a span of 'highlight' must be \{start, end, value\}"):
            numbers({"highlight": [wrong]}, WANTED)
    with pytest.raises(DataError, match="goes from 3 to 3; the end must come later"):
        numbers({"highlight": [{"start": 3, "end": 3, "value": 1}]}, WANTED)
