"""BM25 against its formula by hand, and what order it gives."""

from __future__ import annotations

import math

import pytest

from posttrain.environments.bm25 import Bm25, words

TEXTS = ["the cat sat", "the dog sat on the cat", "a fish", ""]


def test_scores_by_hand() -> None:
    """N = 4, mean length 11 / 4; `cat` stands in two texts, once each; `the` twice in the second."""
    rarity = math.log(1 + 2.5 / 2.5)
    mean = 11 / 4
    short = 2.2 / (1 + 1.2 * (0.25 + 0.75 * 3 / mean))
    long = 2.2 / (1 + 1.2 * (0.25 + 0.75 * 6 / mean))
    twice = 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 6 / mean))
    index = Bm25(TEXTS)
    assert index.scores("CAT!") == pytest.approx({0: rarity * short, 1: rarity * long})
    assert index.scores("the cat")[1] == pytest.approx(rarity * (long + twice))
    assert index.scores("cat cat")[0] == pytest.approx(2 * rarity * short)


def test_the_best_come_first_and_strangers_not_at_all() -> None:
    index = Bm25(TEXTS)
    assert index.search("cat", 5) == [0, 1]
    assert index.search("cat", 1) == [0]
    assert index.search("fish on", 5) == [2, 1]
    assert index.search("bird", 5) == []
    assert Bm25(["same", "same"]).search("same", 2) == [0, 1]
    assert Bm25([]).search("cat", 5) == []


def test_words() -> None:
    assert words("It's Über-nice, 2nd!") == ["it", "s", "über", "nice", "2nd"]
