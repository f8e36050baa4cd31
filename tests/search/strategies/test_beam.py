"""Step-level beam search."""

from __future__ import annotations

import pytest

from posttrain.search.strategies.beam import beam
from tests.search.worlds import best_reachable, letters, play, texts

LEAVES = {text: (i * 5) % 8 / 8 for i, text in enumerate(texts(3))}


def test_with_the_perfect_value_a_beam_of_one_finds_the_optimum():
    tree, answers = play(beam, letters(3), best_reachable(LEAVES), width=1, branching=2)
    assert answers == [max(LEAVES, key=LEAVES.__getitem__)]
    assert (tree.tokens, tree.valued) == (6, 6)


@pytest.mark.paper("chen20244ev")
def test_guided_by_the_value_it_beats_greedy_steps():
    """The likeliest step is wrong at every node: greedy answers are right nowhere, those of the beam everywhere."""
    right = "bca"

    def follows(text: str) -> list[tuple[str, float, bool]]:
        wanted = right[len(text)]
        return [(c, 0.2 if c == wanted else 0.4, len(text) == 2) for c in sorted("abc", key=lambda c: c == wanted)]

    agrees = lambda t: float(right.startswith(t))  # noqa: E731
    _, greedy = play(beam, follows, agrees, width=1, branching=1)
    _, guided = play(beam, follows, agrees, width=1, branching=3)
    assert greedy != [right]
    assert guided == [right]


def test_without_branching_it_is_sampling():
    tree, answers = play(beam, letters(3), lambda _: None, width=1, branching=1)
    assert answers == ["aaa"]
    assert len(tree.nodes) == 4


def test_of_depth_one_it_is_the_best_of_n():
    worth = {"a": 0.1, "b": 0.9, "c": 0.5}.__getitem__
    _, answers = play(beam, letters(1, "abc"), worth, width=3, branching=3, depth=1)
    assert answers == ["b", "c", "a"]


@pytest.mark.paper("chen20244ev")
def test_the_beam_keeps_the_best_and_is_narrower_by_each_that_is_over():
    """Level 1: x 0.9 ends and keeps its place, of y 0.8 and z 0.7 only y goes on. Level 2: the best of it is over."""
    worth = {"x": 0.9, "y": 0.8, "z": 0.7, "yx": 0.95, "yy": 0.99, "yz": 0.1}
    tree, answers = play(
        beam, lambda t: [(c, 0.3, c == "x") for c in "xyz"], worth.__getitem__, width=2, branching=3, depth=2
    )
    assert answers == ["x", "yy"]  # an answer that was cut comes behind one that has ended
    assert [n.step.text for n in tree.nodes[1:]] == ["x", "y", "z", "x", "y", "z"]
    assert [n.parent for n in tree.nodes[4:]] == [2, 2, 2]


def test_it_ends_when_all_places_are_taken():
    tree, answers = play(beam, letters(2), lambda t: float(len(t)), width=2, branching=2, depth=9)
    assert len(answers) == 2
    assert tree.tokens == 2 + 4


def test_the_answers_are_in_the_order_of_their_values_and_not_of_their_ends():
    worth = {"a": 0.5, "b": 0.9, "ba": 0.8, "bb": 0.1}
    _, answers = play(beam, lambda t: [(c, 0.5, t + c != "b") for c in "ab"], worth.__getitem__, width=2, branching=2)
    assert answers == ["ba", "a"]
