"""Features of style are means over questions."""

from __future__ import annotations

from posttrain.evaluation.suites.alignment.style import style
from tests.evaluation.scripted import answered


def test_features_are_averaged_over_the_questions_that_have_them():
    found = answered(style(size=2), lambda item, _: "- one two" if item.prompt.id else "")
    assert found.numbers["words"].mean == 1.5
    assert found.numbers["list_items"].mean == 100 / 3
    assert found.counters["no list_items"] == 1
