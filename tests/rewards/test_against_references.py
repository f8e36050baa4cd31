"""GLEU and ROUGE-L against numbers worked out by hand."""

from __future__ import annotations

import pytest

from posttrain.rewards.bundled.gleu import gleu
from posttrain.rewards.bundled.rouge_l import rouge_l
from posttrain.rewards.ngrams import ngrams

pytestmark = pytest.mark.paper("000-text:Bandit NMT", "001-text:Actor-critic seq")


def test_ngrams_of_a_text():
    assert ngrams(["a", "b", "a", "b"], 2) == {("a",): 2, ("b",): 2, ("a", "b"): 2, ("b", "a"): 1}


def test_gleu_is_the_smaller_of_precision_and_recall():
    """Of "a b c" the n-grams a, b and a b are common: 3 of its 6, and 3 of the 10 of the reference."""
    assert gleu(["a b c"], ["a b d e"]) == [pytest.approx(0.3)]
    assert gleu(["a b d e"], ["a b c"]) == [pytest.approx(0.3)]
    assert gleu(["a a a", "", "x"], ["a", "a", ""]) == [pytest.approx(1 / 6), 0.0, 0.0]
    assert gleu(["the cat sat on it"], [" the cat\nsat on it "]) == [1.0]


def test_gleu_knows_no_n_grams_of_five_words():
    """Swapping the halves of eight words keeps 8 words, 6 pairs, 4 triples and 2 quadruples of 8 + 7 + 6 + 5."""
    assert gleu(["e f g h a b c d"], ["a b c d e f g h"]) == [pytest.approx(20 / 26)]


def test_rouge_l_is_the_f_score_of_the_longest_common_subsequence():
    """police ... the gunman are 3 of 4 words of either text (Lin's example), but only 2 in this order of the third."""
    reference = "police killed the gunman"
    texts = ["police kill the gunman", "the gunman kill police", "the gunman police killed now"]
    assert rouge_l(texts, [reference] * 3) == pytest.approx([0.75, 0.5, 2 * 2 / 9])
    assert rouge_l([""], [""]) == [0.0]


@pytest.mark.parametrize("metric", [gleu, rouge_l])
def test_the_best_of_several_references_and_none(metric):
    assert metric(["a b"] * 3, [["x", "a b"], None, "x y"]) == [1.0, None, 0.0]


@pytest.mark.parametrize("metric", [gleu, rouge_l])
def test_what_each_word_adds_adds_up_to_the_score(metric):
    text, reference = " a  b x a b c ", "a b a b c"
    (spans,) = metric([text], [reference], dense=True)
    assert [text[start:end] for start, end, _ in spans] == text.split()
    assert spans.total == pytest.approx(metric([text], [reference])[0])
    assert spans[2][2] <= 0 < spans[0][2]
    assert metric(["", "a"], ["a", None], dense=True) == [(), None]
