"""Diversity against values worked out by hand; two planted policies that the two measures tell apart."""

from __future__ import annotations

from functools import partial

import pytest

from posttrain.evaluation.metrics.diversity import (
    across_inputs,
    adjusted,
    cosine,
    cosine_diversity,
    distinct,
    expectation_adjusted_distinct,
    letters,
    per_input,
    relation_diversity,
)


@pytest.mark.paper("kirk20230it")
def test_distinct_n_and_its_adjustment_by_hand():
    """ "a b a" and "a c": unigrams 3 of 5, bigrams 3 of 3, one trigram."""
    assert distinct(["a b a", "a c"]) == pytest.approx((3 / 5 + 1 + 1) / 3)
    assert adjusted(3, 4, 10) == pytest.approx(0.8723, abs=5e-5)
    expected = [u / (10 * (1 - 0.9**c)) for u, c in ((3, 5), (3, 3), (1, 1))]
    assert expectation_adjusted_distinct(["a b a", "a c"], vocabulary=10) == pytest.approx(sum(expected) / 3)
    assert distinct(["", " "]) is None
    assert expectation_adjusted_distinct([]) is None


def test_the_adjustment_does_not_fall_with_length_where_distinct_does():
    """U of C draws from V equally likely words is about V (1 - ((V-1)/V)^C): the adjusted ratio is 1 for any C."""
    expected = {c: round(1000 * (1 - (999 / 1000) ** c)) for c in (100, 4000)}
    assert expected[100] / 100 > 3 * expected[4000] / 4000
    assert [adjusted(u, c, 1000) for c, u in expected.items()] == pytest.approx([1, 1], abs=5e-3)


def test_a_collapsed_policy_and_a_policy_that_copies_itself_are_told_apart():
    """The first says the same to every input, in several ways; the second says one thing to each input."""
    collapsed = [["red apple tree", "green pear bush"]] * 3
    copies = [[f"answer {i} only {i}"] * 2 for i in "abc"]
    assert per_input(distinct, collapsed) == 1.0
    assert across_inputs(distinct, collapsed) == pytest.approx(1 / 3)
    assert per_input(distinct, copies) < 0.5
    assert across_inputs(distinct, copies) > 0.6
    by_letters = lambda texts: cosine_diversity([letters(t) for t in texts])  # noqa: E731
    assert across_inputs(by_letters, collapsed) == pytest.approx(0.0)
    assert per_input(by_letters, copies) == pytest.approx(0.0)
    assert per_input(by_letters, collapsed) > 0.8
    assert per_input(by_letters, [["one"]]) is None


def test_cosine_diversity_by_hand():
    """Three vectors at 0, 0 and 90 degrees: mean cosine 1/3."""
    assert cosine_diversity([{0: 1.0}, {0: 2.0}, {1: 3.0}]) == pytest.approx(2 / 3)
    assert cosine({0: 3.0, 1: 4.0}, {0: 1.0}) == pytest.approx(0.6)
    assert cosine({}, {}) == 1.0
    assert cosine({}, {0: 1.0}) == 0.0
    assert letters("a  A", 3) == {" a ": 2, "a a": 1}


def test_relations_are_0_where_all_texts_agree_and_2_where_all_contradict():
    measure = partial(relation_diversity, 3)
    assert measure(lambda i, j: (1.0, 0.0)) == 0.0
    assert measure(lambda i, j: (0.0, 1.0)) == 2.0
    assert measure(lambda i, j: (float(i < j), 0.0)) == 0.5
    assert relation_diversity(1, lambda i, j: (1.0, 0.0)) is None
