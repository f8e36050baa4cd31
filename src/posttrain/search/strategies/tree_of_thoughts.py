"""Tree of Thoughts: Deliberate Problem Solving with Large Language Models (Yao et al., 2023).

Breadth first, the b best states of a level go on; answers that are over compete with them and stay where they are.
Depth first, the most promising thought goes on until its answer is over; what is worth too little is given up, and the
search goes back to the next thought.

    breadth: S_t = the b best of {s z: s ∈ S_{t-1}, z ~ π(· | s), k times};    depth: go on behind s z while V(s z) > v

The paper asks the model itself for V; any value will do.
"""

from __future__ import annotations

from collections.abc import Generator
from math import inf
from typing import Literal

from posttrain.search.search import Draw, Growth, Value
from posttrain.search.tree import ROOT, Tree

Grown = Generator[Draw | Value, None, None]


def tree_of_thoughts(
    tree: Tree,
    *,
    order: Literal["breadth", "depth"] = "breadth",
    width: int = 5,
    branching: int = 5,
    depth: int = 3,
    threshold: float = -inf,
    budget: int = 100,
) -> Growth:
    """Grow level by level, or one promising answer after the other.

    Settings:
        order: breadth or depth, which is grown first.
        width: b, states of a level that go on, breadth first; at least 1, 5 in the paper.
        branching: k, thoughts that are drawn behind each; at least 1, 5 in the paper.
        depth: T, thoughts of an answer at most; at least 1, 3 in the paper.
        threshold: v, value above which a thought is followed, depth first; any, -inf gives up none.
        budget: states that are grown, depth first; at least 1, 100 in the paper.
    """
    tree.depth = depth
    if order == "breadth":
        yield from _breadth(tree, width, branching)
    else:
        yield from _depth(tree, branching, threshold, budget)
    return tree.finished(tree.ranked(tree.finished()))


def _breadth(tree: Tree, width: int, branching: int) -> Grown:
    states = [ROOT]
    while growing := tuple(n for n in states if not tree.over(n)):
        yield Draw(growing, branching)
        new = [c for n in growing for c in tree[n].children]
        yield Value(tuple(new))
        states = tree.ranked([*(n for n in states if tree.over(n)), *new])[:width]


def _depth(tree: Tree, branching: int, threshold: float, budget: int) -> Grown:
    waiting = [ROOT]
    for _ in range(budget):
        if not waiting:
            return
        n = waiting.pop()
        yield Draw((n,), branching)
        yield Value(tuple(tree[n].children))
        followed = [c for c in tree.ranked(tree[n].children) if not tree.over(c) and tree.worth(c) > threshold]
        waiting += reversed(followed)
