"""Self-Consistency Improves Chain of Thought Reasoning in Language Models (Wang et al., 2023).

Whole answers are drawn, and the final answer that most of them come to is given. No value is asked for.

    argmax_a Σ_i [final(y_i) = a]

Of answers with the same final answer the first is given, and of final answers with as many votes the earlier one.
"""

from __future__ import annotations

from collections import Counter

from posttrain.rewards.final_answer import final
from posttrain.search.search import Draw, Growth
from posttrain.search.tree import ROOT, Tree


def self_consistency(tree: Tree, *, n: int = 16) -> Growth:
    """Draw n answers and let their final answers vote.

    Settings:
        n: answers; at least 1, 5 to 40 in the paper.
    """
    yield Draw((ROOT,), n, whole=True)
    nodes = tree[ROOT].children
    says = {i: final(tree[i].step.text) for i in nodes}
    votes = Counter[str]()
    for i in nodes:
        votes[says[i]] += tree[i].drawn
    return tree.finished(sorted(nodes, key=lambda i: -votes[says[i]]))
