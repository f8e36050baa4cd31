"""Tree of Thoughts, breadth and depth first."""

from __future__ import annotations

from posttrain.search.strategies.tree_of_thoughts import tree_of_thoughts
from tests.search.worlds import best_reachable, letters, play, texts

LEAVES = {text: (i * 5) % 8 / 8 for i, text in enumerate(texts(3))}
BEST = max(LEAVES, key=LEAVES.__getitem__)


def test_breadth_first_keeps_the_best_states_of_a_level():
    tree, answers = play(tree_of_thoughts, letters(3), best_reachable(LEAVES), width=1, branching=2)
    assert answers[0] == BEST
    assert len(tree.nodes) == 1 + 2 * 3


def test_an_answer_that_is_over_competes_with_the_states_that_go_on():
    """Where "a" ends with 0.5 and is among the best two, only one other state goes on."""
    worth = {"a": 0.5, "b": 0.9, "c": 0.4, "ba": 0.1, "bb": 0.2, "bc": 0.3}
    tree, answers = play(
        tree_of_thoughts, lambda t: [(c, 0.3, c == "a") for c in "abc"], worth.__getitem__,
        width=2, branching=3, depth=2,
    )  # fmt: skip
    assert [n.parent for n in tree.nodes[1:]] == [0, 0, 0, 2, 2, 2]
    assert answers == ["a", "ba", "bc", "bb"]


def test_depth_first_follows_the_most_promising_and_goes_back():
    tree, answers = play(tree_of_thoughts, letters(3), best_reachable(LEAVES), order="depth", branching=2, budget=3)
    assert answers[0] == BEST
    assert len(tree.nodes) == 1 + 2 * 3
    tree, answers = play(tree_of_thoughts, letters(3), lambda _: 0.0, order="depth", branching=2)
    assert sorted(answers) == texts(3)
    seen = [tree.answer(n).text for n in range(1, len(tree.nodes))]
    assert seen[:6] == ["a", "b", "aa", "ab", "aaa", "aab"]


def test_depth_first_gives_up_what_is_worth_too_little():
    worth = lambda t: 0.5 if t.startswith("b") else 0.2  # noqa: E731
    tree, answers = play(tree_of_thoughts, letters(2), worth, order="depth", branching=2, threshold=0.2)
    assert answers == ["ba", "bb"]
    assert len(tree.nodes) == 1 + 2 + 2
