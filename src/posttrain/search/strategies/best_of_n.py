"""Learning to Summarize with Human Feedback (Stiennon et al., 2020).

Best of n, as a tree of one level: whole answers are drawn, and the one with the highest value is given.
"""

from __future__ import annotations

from posttrain.search.search import Draw, Growth, Value
from posttrain.search.tree import ROOT, Tree


def best_of_n(tree: Tree, *, n: int = 16) -> Growth:
    """Draw n answers and order them by value.

    Settings:
        n: answers; at least 1, 4 to 256 is usual.
    """
    yield Draw((ROOT,), n, whole=True)
    yield Value(tuple(tree[ROOT].children))
    return tree.finished(tree.ranked(tree[ROOT].children))
