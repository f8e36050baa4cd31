"""Marks of harm in the format of BeaverTails."""

from __future__ import annotations

import pytest

from posttrain.data.dataset import from_rows
from posttrain.data.formats.beavertails import HARMS
from posttrain.errors import DataError


def row(*harms, **more):
    marks = {name: name in harms for name in reversed(HARMS)}
    return {"prompt": "How?", "response": "So.", "category": marks, "is_safe": not harms} | more


@pytest.mark.paper("002:BeaverTails")
def test_kinds_of_harm_are_numbers_in_one_order():
    (record,) = from_rows([row("animal_abuse", "violence,aiding_and_abetting,incitement")], "demonstrations")
    assert record.completion == "So."
    assert record.columns["attributes"] == [1.0, *[0.0] * 12, 1.0]


@pytest.mark.paper("002:BeaverTails")
def test_safe_answers_are_good_ones():
    records = from_rows([row(), row("self_harm", response="No.")], "ratings")
    assert [r.label for r in records] == [True, False]
    assert "the column 'is_safe' is read as 'label' (2 rows, the first row 0)" in records.notices.lines()
    assert [r.label for r in from_rows([row("self_harm", label=True)], "ratings")] == [True]


def test_marks_that_are_missing_are_an_error_and_own_attributes_stay():
    with pytest.raises(DataError, match="row 0: 'category' must say true or false of 'animal_abuse'"):
        from_rows([row(category={"self_harm": True})], "demonstrations")
    (record,) = from_rows([row(attributes=[2.0])], "demonstrations")
    assert record.columns["attributes"] == [2.0]
    (record,) = from_rows([row(category="poems")], "demonstrations")
    assert record.columns["category"] == "poems"
