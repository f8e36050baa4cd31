"""Monte Carlo tree search: which node grows next, and what is learned from a value (Rosin, 2011; Silver et al., 2017).

    choose argmax_a Q(s, a) + c P(s, a) √N(s) / (1 + N(s, a)),    P = exp(mean log-prob of the step)

Q is the mean of all values that were backed up through a node, 0 before the first.
"""

from __future__ import annotations

from math import log, sqrt

from posttrain.search.tree import ROOT, Tree


def puct(mean: float, prior: float, visits_of_parent: int, visits: int, *, exploration: float) -> float:
    """Return Q + c P √N / (1 + n). `exploration`: c."""
    return mean + exploration * prior * sqrt(visits_of_parent) / (1 + visits)


def uct(mean: float, visits_of_parent: int, visits: int, *, exploration: float) -> float:
    """Return Q + c √(ln N / n) of a node that was visited (Kocsis and Szepesvári, 2006). `exploration`: c."""
    return mean + exploration * sqrt(log(visits_of_parent) / visits)


def select(tree: Tree, *, exploration: float) -> int:
    """Walk from the prompt to the node that grows next: the best open child each time, the earlier one of equals."""
    n = ROOT
    while tree[n].children:
        above = tree[n]
        n = max(
            (c for c in above.children if not tree[c].closed),
            key=lambda c: puct(tree[c].mean, tree[c].step.prior, above.visits, tree[c].visits, exploration=exploration),
        )
    return n


def back_up(tree: Tree, n: int, value: float) -> None:
    """Count a value at a node and at all nodes above it, the prompt included."""
    for i in (*tree.path(n), ROOT):
        tree[i].visits += 1
        tree[i].total += value


def close(tree: Tree, n: int) -> None:
    """Close a node below which nothing is left, and every node above it whose children are then all closed."""
    tree[n].closed = True
    while n != ROOT:
        n = tree[n].parent
        if not all(tree[c].closed for c in tree[n].children):
            return
        tree[n].closed = True
