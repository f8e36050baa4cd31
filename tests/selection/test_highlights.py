"""Parts of an answer, and which of them are highlighted."""

import pytest

from posttrain.selection.highlights import highlights, parts

pytestmark = pytest.mark.paper("holk20243vd")


def test_golden_the_parts_of_a_text_are_its_sentences_and_lines():
    text = "One. Two words!\n\n three?? 4"
    assert [text[a:b] for a, b in parts(text)] == ["One.", "Two words!", "three??", "4"]
    assert parts(" \n") == []


def test_golden_a_highlight_is_praise_less_criticism():
    places, said = [(0, 4), (5, 9), (10, 12), (13, 14)], [[0.75, 0.25, 0], [0.2, 0.8, 0], [0.25, 0.25, 0.5], [0, 1, 0]]
    found = highlights(places, said)
    assert [(s["start"], s["end"]) for s in found] == [(0, 4), (5, 9), (13, 14)]
    assert [s["value"] for s in found] == pytest.approx([0.5, -0.6, -1.0])
    assert [s["start"] for s in highlights(places, said, least=0.55)] == [5, 13]
    assert [s["start"] for s in highlights(places, said, least=0.0)] == [0, 5, 13]  # nothing is said of the third
