"""Clusters, attractors and entropy of planted policies."""

from __future__ import annotations

import math

import pytest

from posttrain.evaluation.metrics.clusters import clusters, entropy, largest_share, returns
from posttrain.evaluation.metrics.diversity import letters


def angle(degrees):
    return {0: math.cos(math.radians(degrees)), 1: math.sin(math.radians(degrees))}


def test_what_is_linked_is_one_cluster_and_the_largest_comes_first():
    """0, 30 and 60 degrees are a chain at cos 30 = 0.87; 180 stands alone."""
    points = [angle(180), angle(60), angle(0), angle(30)]
    assert clusters(points, 0.8) == [[1, 2, 3], [0]]
    assert clusters(points, 0.9) == [[0], [1], [2], [3]]
    assert clusters([], 0.8) == []


@pytest.mark.paper("mohammadi20241pk")
def test_a_policy_with_two_answers_has_two_clusters_in_their_shares():
    texts = ["the sea was calm that night"] * 9 + ["a dragon ate the king"]
    vectors = [letters(t) for t in texts]
    assert largest_share(vectors) == 0.9
    assert [len(c) for c in clusters(vectors)] == [9, 1]
    assert largest_share([]) is None


def test_a_policy_that_ignores_its_beginning_always_returns_and_another_never():
    members = [letters("the sea was calm that night")]
    same, other = letters("The sea was  calm that night"), letters("quick brown foxes jump")
    assert returns([same, other], members) == [True, False]
    assert returns([same], []) == [False]


def test_the_entropy_of_certain_and_of_even_choices():
    assert entropy([0.0, 0.0]) == 0.0
    assert entropy([-math.log(50)] * 3) == pytest.approx(math.log(50))
    assert entropy([]) is None
