"""AlphaMath Almost Zero: Process Supervision without Process (Chen et al., 2024), its step-level beam search.

The best partial answers go on, a step at a time, and the value says which they are.

    k ← B_1;    keep the k best of all B_2 steps behind each of those that were kept;    k ← k - 1 for each that is over

An answer that has ended keeps its place in the beam and takes no more steps; so does one that is as long as it may be,
behind all that have ended. `width: 1, branching: 1` is sampling, `depth: 1` the best of `branching`.
"""

from __future__ import annotations

from posttrain.search.search import Draw, Growth, Value
from posttrain.search.tree import ROOT, Tree


def beam(tree: Tree, *, width: int = 3, branching: int = 5, depth: int = 10) -> Growth:
    """Keep the best partial answers, step by step.

    Settings:
        width: B_1, partial answers that are kept; at least 1, 1 to 5 in the paper.
        branching: B_2, steps that are drawn behind each; at least 1, 5 in the paper.
        depth: steps of an answer at most; at least 1.
    """
    tree.depth = depth
    kept, over = [ROOT], list[int]()
    while kept:
        yield Draw(tuple(kept), branching)
        steps = [c for n in kept for c in tree[n].children]
        yield Value(tuple(steps))
        best = tree.ranked(steps)[: width - len(over)]
        over += tree.finished(best)
        kept = [n for n in best if not tree.over(n)]
    return tree.finished(tree.ranked(over))
