"""Queries and what they find: average precision by hand, what is known, and the next prompts."""

from __future__ import annotations

import pytest

from posttrain.data.generators.encyclopedia import Passage
from posttrain.errors import DataError
from posttrain.records import Prompt
from posttrain.selection.queries import average_precision, by_retrieval, needed, open_questions, requests
from tests.harness.scripted_session import episode

A, B, C = (Passage(t, f"about {t}") for t in "abc")
BOTH = Prompt(7, "x?", {"documents": ["a", "b"]}, "file:1")
LIBRARY = {"one": [A, C], "two": [C, B, A], "none": []}


@pytest.mark.paper("004:LeReT")
@pytest.mark.parametrize(
    ("found", "wanted", "value"),
    [
        ("abc", "ab", 1),
        ("cab", "ab", (1 / 2 + 2 / 3) / 2),
        ("acb", "ab", (1 + 2 / 3) / 2),
        ("ca", "ab", (1 / 2) / 2),
        ("c", "ab", 0),
        ("", "ab", 0),
        ("ba", "a", 1 / 2),
    ],
)
def test_average_precision_by_hand(found: str, wanted: str, value: float) -> None:
    assert average_precision(found, set(wanted)) == pytest.approx(value)


def test_what_is_known_is_no_longer_wanted() -> None:
    queries = [episode(BOTH, text, None) for text in LIBRARY]
    assert [q.reward for q in by_retrieval(queries, LIBRARY.get, {7: []})] == pytest.approx([0.5, 7 / 12, 0])
    assert [q.reward for q in by_retrieval(queries, LIBRARY.get, {7: [A]})] == pytest.approx([0, 0.5, 0])


def test_questions_stay_open_until_all_is_found() -> None:
    assert open_questions([BOTH], {7: [A, C]}) == [BOTH]
    assert open_questions([BOTH], {7: [B, A]}) == []


def test_the_next_prompt_holds_what_is_known() -> None:
    assert requests([BOTH], {7: [A, C], 8: []}, " Q:")[0].prompt == "x?\na: about a\nc: about c Q:"
    assert requests([BOTH], {7: []}, " Q:")[0].prompt == "x? Q:"


def test_titles_are_texts() -> None:
    assert needed(Prompt(7, "x?", {"documents": [1984, "b"]})) == ["1984", "b"]


@pytest.mark.parametrize("columns", [{}, {"documents": []}, {"documents": "a"}])
def test_a_question_must_say_what_it_needs(columns: dict) -> None:
    with pytest.raises(DataError, match="file:1: the column documents must list"):
        needed(Prompt(7, "x?", columns, "file:1"))
