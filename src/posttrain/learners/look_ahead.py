"""How Can LLM Guide RL? A Value-Based Approach (SLINVIT; Zhang et al., 2024): a look-ahead over proposals.

From each state the `breadth` likeliest actions of the speaker are followed, `depth` steps deep; a value closes the
leaves, and the first action of the best path is taken:

    S_0(s) = V̂(s),    S_n(s) = max over proposals a of λ log p(a | s) + R(s, a) + γ Σ_s' P(s' | s, a) S_{n-1}(s')

Where nothing is left to chance this is the paper's score of a path. It sums λ log p undiscounted; here it is
discounted like rewards. (The authors' script for ALFWorld joins its two lists where it means to add them, so that
values take no part in its choice; this is not imitated.)
"""

from __future__ import annotations

import numpy as np

from posttrain.learners.value_iteration import evaluated
from posttrain.learners.world import Floats, Table


def proposals(prior: Floats, breadth: int) -> Floats:
    """Mark the likeliest actions of each state: 1 for `breadth` of them [S, A]; the earlier ones of equals."""
    order = np.argsort(-prior, axis=1, kind="stable")[:, :breadth]
    marked = np.zeros_like(prior)
    np.put_along_axis(marked, order, 1.0, axis=1)
    return marked


def leaf_values(table: Table, leaf: str) -> Floats:
    """The values [S] where a path ends: those of acting at `random`, or 0."""
    even = np.full(table.R.shape, 1 / table.R.shape[1])
    return evaluated(table, even) if leaf == "random" else np.zeros(len(even))


def look_ahead(table: Table, prior: Floats, leaf: Floats, *, depth: int, breadth: int, strength: float) -> Floats:
    """Return the policy [S, A] that takes the first action of the best path from each state; equals share it evenly.

    Settings:
        depth: steps that are looked ahead; at least 1.
        breadth: actions that are followed from each state; 1 to their number.
        strength: λ, the weight of what the speaker finds likely; 0 counts values alone.
    """
    followed = proposals(prior, breadth)
    likely = strength * np.log(prior) if strength else np.zeros_like(prior)
    values = np.where(table.terminal, 0.0, leaf)
    for _ in range(depth):
        scores = np.where(followed > 0, likely + table.R + table.discount * table.P @ values, -np.inf)
        values = np.where(table.terminal, 0.0, scores.max(axis=1))
    best = np.isclose(scores, scores.max(axis=1, keepdims=True), rtol=0, atol=1e-9).astype(np.float64)
    return np.asarray(best / best.sum(axis=1, keepdims=True))


def without_help(table: Table, leaf: Floats, depth: int, breadth: int) -> Floats:
    """The policy [S, A] of a look-ahead over all actions that meets no more paths than this depth and breadth do."""
    count = table.R.shape[1]
    even = np.full(table.R.shape, 1 / count)
    return look_ahead(table, even, leaf, depth=affordable(depth, breadth, count), breadth=count, strength=0.0)


def affordable(depth: int, breadth: int, actions: int) -> int:
    """How deep a look-ahead over all actions may be that meets no more paths than one of this depth and breadth."""
    deep = 1
    while deep < depth and actions ** (deep + 1) <= breadth**depth:
        deep += 1
    return deep
