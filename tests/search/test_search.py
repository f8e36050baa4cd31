"""Trees that grow side by side: batches, ends, and going on where an earlier attempt stopped."""

from __future__ import annotations

from posttrain.search.search import Draw, Growth, Place, Search, Value, grow
from posttrain.search.tree import ROOT, Tree
from tests.search.worlds import step


def twice(tree: Tree, *, rounds: int = 2) -> Growth:
    """Draw two steps behind the newest node, value them, and again; the second tree of a batch ends a round earlier."""
    for _ in range(rounds - (tree.max_tokens or 0)):
        yield Draw((len(tree.nodes) - 1, ROOT), 1)
        yield Value((len(tree.nodes) - 1,))
    return [len(tree.nodes) - 1]


def grown(known=(), keep=lambda _: None):
    asked = []

    def draw(places):
        asked.append(places)
        return [step(f"{p.tree}{p.node}{p.sample}") for p in places]

    def value(nodes):
        asked.append(nodes)
        return [float(n) for _, n in nodes]

    trees = [Tree(), Tree(1)]
    return trees, grow(Search("twice", twice), trees, draw, value, known, keep), asked


def test_what_all_trees_want_is_one_batch():
    trees, answers, asked = grown()
    assert asked == [
        [Place(0, 0, 0), Place(0, 0, 0), Place(1, 0, 0), Place(1, 0, 0)],
        [(0, 1), (1, 1)],
        [Place(0, 1, 0), Place(0, 0, 2)],
        [(0, 3)],
    ]
    assert answers == [[3], [1]]
    assert [n.value for n in trees[0].nodes] == [None, 1.0, None, 3.0]
    assert (trees[0].valued, trees[1].valued) == (2, 1)


def test_what_was_kept_is_not_asked_for_again_and_the_trees_are_the_same():
    waves = []
    trees, answers, asked = grown(keep=waves.append)
    assert len(waves) == 4
    for done in range(5):
        more = []
        again, same, rest = grown(waves[:done], more.append)
        assert [vars(t) for t in again] == [vars(t) for t in trees]
        assert (same, rest, more) == (answers, asked[done:], waves[done:])


def test_settings_reach_the_strategy():
    trees = [Tree()]
    (answer,) = grow(Search("twice", twice, (("rounds", 1),)), trees, lambda ps: [step("x")] * len(ps), lambda _: [0.0])
    assert answer == [1]
