"""Texts that are alike by their words."""

import pytest

from posttrain.selection.similar import _product, _scaled, nearest, similar

pytestmark = pytest.mark.paper("yang2024ppw")
TEXTS = ["How do I sort a list?", "sort a Dict, sort it", "the weather of a day", "How do I read a file?", "a"]


def test_golden_the_rarer_the_words_that_two_texts_share_the_more_they_are_alike():
    """`a` is in all of them. 0 and 3 share how, do, i; 0 and 1 share sort; 2 shares nothing."""
    assert similar(TEXTS, 2) == [[3, 1], [0], [], [0], []]
    assert similar(TEXTS, 1) == [[3], [0], [], [0], []]
    assert similar(TEXTS, 0) == [[]] * 5
    # log 3/2 of `x`, twice or once, against log 3 of what only one text has
    assert similar(["x x p", "x q", "x y r"], 2) == [[]] * 3
    assert similar(["x x p", "x x x x q", "x r", "s"], 3)[0] == [1, 2]


def test_golden_ties_go_to_the_earlier_text_and_length_does_not_matter():
    assert similar(["x p", "x q", "x r", "s"], 2)[0] == [1, 2]
    assert similar(["x", "x x p q r u v w", "x y", "s"], 2)[0] == [2, 1]
    assert _product({"x": 2.0, "y": 1.0}, {"x": 3.0, "z": 1.0}) == 6.0
    assert _scaled({"x": 3.0, "y": -4.0, "z": 0.0}) == pytest.approx({"x": 0.6, "y": -0.8})


@pytest.mark.paper("basit2024hl2")
def test_golden_what_a_library_holds_on_a_question():
    """Words weigh by the library alone: `sort` is in two of four texts, `dict` in one, `what` in none."""
    library = ["sort a list", "sort a dict", "read a file", "a"]
    assert nearest(["what sort of dict?", "read", "a", "what"], library, 2) == [[1, 0], [2], [], []]
    assert nearest(["what sort of dict?"], library, 1) == [[1]]
    assert nearest(["sort a dict"], library, 3) == [[0]]  # the text itself is left out
    assert nearest(library, library, 3) == similar(library, 3)
    assert nearest(["x"], [], 2) == [[]]
    assert nearest(["sort sort dict", "sort dict dict dict"], ["sort", "dict", "x"], 1) == [[0], [1]]
