"""Features of style by hand."""

from __future__ import annotations

import pytest

from posttrain.evaluation.metrics.style import FEATURES


@pytest.mark.parametrize(
    ("text", "feature", "value"),
    [
        ("one two three", "words", 3.0),
        ("One two. Three four five six! Seven", "sentence_length", 7 / 3),
        ("", "sentence_length", None),
        ("a b c a b c", "repeated", 0.25),
        ("a b", "repeated", None),
        ("- one\n- two\n3) three x", "list_items", 100 * 3 / 7),
        ("# Title\nword **not** one\n**Bold**", "headings", 100 * 2 / 6),
        ("It may be so, perhaps; maybe", "hedges", 100 * 2 / 6),
        ("I think my Iris is mine", "first_person", 50.0),
        ("Hi! Go!!", "exclamations", 150.0),
        ("", "exclamations", None),
    ],
)
def test_a_feature(text, feature, value):
    assert FEATURES[feature](text) == (value if value is None else pytest.approx(value))
