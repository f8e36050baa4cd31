"""How likely candidates are, and the policies over them."""

import math

import pytest

from posttrain.roles.choices import Choices, softmax
from posttrain.turns import words

TWO = Choices(("go", "pick it up"), ((-1.0,), (-0.6, -0.6, -0.6)))


def test_the_length_of_a_candidate_decides_unless_it_is_divided_out():
    assert TWO.probabilities() == pytest.approx([0.690, 0.310], abs=5e-4)
    assert TWO.probabilities("token") == pytest.approx([0.401, 0.599], abs=5e-4)


def test_scores():
    assert TWO.scores() == pytest.approx([-1.0, -1.8])
    assert TWO.scores("token") == pytest.approx([-1.0, -0.6])
    two_words = Choices(("go on", "go"), ((-1.0, -3.0, -2.0), (-1.0,)))
    assert two_words.scores("word") == pytest.approx([-3.0, -1.0])


def test_words():
    assert [words(text) for text in ("go", " go  on\nnow ", "", " ")] == [1, 3, 1, 1]


def test_softmax():
    assert softmax([1.0, 1.0]) == [0.5, 0.5]
    assert softmax([-1e4, -1e4 + math.log(3)]) == pytest.approx([0.25, 0.75])
