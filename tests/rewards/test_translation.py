"""BLEU and chrF against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest

from posttrain.rewards.bundled.translation import translation

pytestmark = pytest.mark.paper("ramos20236pc", "000-text:Bandit NMT")


@pytest.fixture(autouse=True)
def _installed() -> None:
    pytest.importorskip("sacrebleu")


def test_bleu_of_a_sentence():
    """The words match 5 of 6, pairs 4 of 5, triples 3 of 4 and quadruples 2 of 3: their geometric mean, no brevity."""
    (score,) = translation(["the cat sat on a mat"], ["the cat sat on the mat"])
    parts = [5 / 6, 3 / 5, 2 / 4, 1 / 3]
    assert score == pytest.approx(math.prod(parts) ** 0.25)
    assert translation(["one two three four"], ["one two three four five"]) == [pytest.approx(math.exp(1 - 5 / 4))]


def test_chrf_of_a_sentence():
    """Single characters: precision 2/2, recall 2/3; pairs 1/1 and 1/2; no longer ones. β = 2: recall weighs more."""
    (score,) = translation(["ab"], ["abc"], metric="chrf")
    precision, recall = (1 + 1) / 2, (2 / 3 + 1 / 2) / 2
    assert score == pytest.approx(5 * precision * recall / (4 * precision + recall))
    assert translation(["abc"], ["ab"], metric="chrf")[0] > score
    assert translation(["same"], ["same"], metric="chrf") == [1.0]


def test_the_best_of_several_references_and_none():
    one, both, none = translation(["a b c d"] * 3, ["x y z w", ["x y z w", "a b c d"], None])
    assert one < 0.1 < both == 1.0
    assert none is None


def test_an_unknown_text_scores_little_and_an_empty_one_nothing():
    assert translation(["zzz", ""], ["the cat sat"] * 2) == [pytest.approx(0, abs=0.2), 0.0]
