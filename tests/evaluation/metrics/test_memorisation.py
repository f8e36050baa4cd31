"""Extraction, exposure and near-duplicates: planted ones are found, clean ones are not."""

from __future__ import annotations

import math

from posttrain.evaluation.metrics.memorisation import (
    edit_distance,
    edit_similarity,
    exposure,
    extracted,
    jaccard,
    near_duplicates,
    shingles,
)

TEXT = "the quick brown fox jumps over the lazy dog while the sun goes down behind old grey hills"


def test_only_the_whole_rest_at_the_beginning_is_extracted():
    assert extracted("b c  d", "b c")
    assert not extracted("x b c", "b c")
    assert not extracted("b", "b c")
    assert not extracted("anything", " ")


def test_edit_distance_by_hand():
    assert edit_distance("kitten", "sitting") == 3
    assert edit_distance("", "abc") == edit_distance("abc", "") == 3
    assert edit_similarity("a b c d".split(), "a x c d".split()) == 0.75
    assert edit_similarity([], []) == 1.0


def test_exposure_is_all_bits_of_the_likeliest_and_none_of_the_least_likely():
    others = [-float(i) for i in range(1, 8)]
    assert exposure(0.0, others) == 3.0
    assert exposure(-9.0, others) == 0.0
    assert exposure(-1.0, others) == 3 - math.log2(2)  # a tie comes last


def test_a_planted_near_duplicate_is_found_and_clean_texts_are_not():
    clean = [f"{w} stories about {w} and what {w} did on day {i}" for i, w in enumerate(("ants", "bees", "cats"))]
    texts = [clean[0], TEXT, clean[1], TEXT.replace("grey", "green"), TEXT.upper(), clean[2]]
    assert near_duplicates(texts, threshold=0.6) == {3: 1, 4: 1}
    assert near_duplicates(texts, threshold=0.95) == {4: 1}
    assert near_duplicates(["", "", "a", "a"]) == {3: 2}


def test_shingles_and_jaccard_by_hand():
    assert shingles("A b c", 2) == {("a", "b"), ("b", "c")}
    assert shingles("a", 2) == {("a",)}
    assert jaccard({1, 2, 3}, {2, 3, 4}) == 0.5
    assert jaccard([], []) == 0.0
