"""Step-level Value Preference Optimization for Mathematical Reasoning (Chen et al., 2024), its Monte Carlo tree search.

Each simulation walks to an open node by PUCT, draws steps behind it, and backs up its value and those of the answers
that are over with them.

    argmax Q + c P √N(parent) / (1 + N),    Q ← mean of all values backed up,    P = exp(mean log-prob of the step)

A node of which nobody knows the value counts as 0. A node below which every answer is over is not visited again.
"""

from __future__ import annotations

from posttrain.search.puct import back_up, close, select
from posttrain.search.search import Draw, Growth, Value
from posttrain.search.tree import ROOT, Tree


def mcts(tree: Tree, *, simulations: int = 40, branching: int = 5, depth: int = 8, exploration: float = 1.5) -> Growth:
    """Grow where PUCT says, and answer with the best leaf.

    Settings:
        simulations: nodes that grow; at least 1, 40 in the paper.
        branching: steps that are drawn behind each; at least 1, 5 in the paper.
        depth: steps of an answer at most; at least 1, 8 in the paper.
        exploration: c, weight of the prior against the mean value; at least 0, 1.5 in the paper.
    """
    tree.depth = depth
    for _ in range(simulations):
        if tree[ROOT].closed:
            break
        leaf = select(tree, exploration=exploration)
        yield Draw((leaf,), branching)
        over = [c for c in tree[leaf].children if tree.over(c)]
        yield Value((leaf, *over))
        back_up(tree, leaf, tree[leaf].value or 0.0)
        for n in over:
            if (known := tree[n].value) is not None:
                back_up(tree, n, known)
            close(tree, n)
    return tree.finished(tree.ranked(tree.finished()))
