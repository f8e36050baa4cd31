"""A tree of whole solutions: behind each are others that were rewritten from it (Zhang et al., 2024: SR-MCTS).

Node 1 is the first solution. The values of all nodes come from comparisons of every two of them (selection/borda.py in
procedures), and a node learns from those that were made of it:

    choose argmax Q(s') + c √(ln N(s) / N(s'))  while s has enough children and one of them is better;
    Q(s) ← (1 - γ) Q(s) + γ Q(s')               for every s' behind s, the newest first
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from posttrain.search.puct import uct
from posttrain.search.tree import ROOT, Step, Tree

FIRST = 1


def planted(solution: str) -> Tree:
    """Return the tree of a first solution."""
    tree = Tree()
    tree.add(ROOT, [Step(text=solution, ended=True)])
    tree[FIRST].visits = 1
    return tree


def select_solution(tree: Tree, *, children: int, exploration: float) -> int:
    """Walk from the first solution to the one that is rewritten next, the earlier one of equals.

    A solution is left behind once it has `children` rewritten ones and one of them is worth more than it.
    """
    n = FIRST
    while (own := tree[n].children) and len(own) >= children and any(tree.worth(c) > tree.worth(n) for c in own):
        above = tree[n].visits
        n = max(own, key=lambda c: uct(tree.worth(c), above, tree[c].visits, exploration=exploration))
    return n


def rewritten(tree: Tree, n: int, solution: str) -> int | None:
    """Add a solution that was made of another; None where the same was made of it before. Counts the visit."""
    before = len(tree.nodes)
    tree.add(n, [Step(text=solution, ended=True)])
    made = None if len(tree.nodes) == before else before
    for i in (*tree.path(n), *((made,) if made else ())):
        tree[i].visits += 1
    return made


def offspring(tree: Tree) -> Mapping[int, Sequence[int]]:
    """Return the children of each solution, both counted from 0 for the first solution."""
    return {n - FIRST: [c - FIRST for c in tree[n].children] for n in range(FIRST, len(tree.nodes))}


def learn_values(tree: Tree, values: Sequence[float], *, rate: float) -> None:
    """Give all solutions their values, and let each learn from those that were made of it. `rate`: γ."""
    for node, value in zip(tree.nodes[FIRST:], values, strict=True):
        node.value = value
    for n in range(len(tree.nodes) - 1, FIRST, -1):
        parent = tree[tree[n].parent]
        parent.value = (1 - rate) * tree.worth(tree[n].parent) + rate * tree.worth(n)
