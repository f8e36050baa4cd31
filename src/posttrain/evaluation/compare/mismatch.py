"""The Alignment Ceiling: Objective Mismatch in Reinforcement Learning from Human Feedback (Lambert and Calandra, 2023).

The accuracy of a reward model, the reward that is earned from it, and what was wanted are three objectives. Whether one
speaks for another is their correlation over trained models, by Spearman, at the end of each curve:

    accuracy and gold near 0     the accuracy does not tell which reward model to pursue
    proxy and gold below 0       the more of the reward is earned, the less of what was wanted
"""

from __future__ import annotations

from itertools import combinations

from posttrain.evaluation.compare.grid import Comparison
from posttrain.evaluation.reward_models.rank_correlation import spearman


def mismatch(comparison: Comparison) -> dict[str, float]:
    """Return the correlation of every two of the measurements in `task.together`; nothing for fewer than three models.

    Every method at every seed is one trained model.
    """
    ends = [curve[-1] for runs in comparison.curves.values() for curve in runs.values()]
    if len(ends) < 3:
        return {}
    return {
        f"correlation of {a} and {b} over {len(ends)} models": round(
            spearman([p[a] for p in ends], [p[b] for p in ends]), 3
        )
        for a, b in combinations(comparison.task.together, 2)
    }
