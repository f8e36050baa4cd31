"""Vision-Language Models are Zero-Shot Reward Models for Reinforcement Learning (Rocamonde et al., 2023).

    R(s) = s·g                                             α = 0
    R(s) = 1 - ½ |α proj_L(s) + (1 - α) s - g|²            L: the line through the baseline b and the goal g

s, g and b are unit vectors of a picture, of the text of the goal and of a text of what is always there. With α = 1 only
the way along L counts: what changes s across it, such as the background, changes nothing.
"""

from __future__ import annotations

import numpy as np

from posttrain.learners.world import Floats


def goal_baseline(states: Floats, goal: Floats, baseline: Floats, *, alpha: float) -> Floats:
    """Return the rewards [N] of states [N, D], for unit vectors of the goal and the baseline [D].

    `alpha`: 0 is the plain cosine, and then the baseline is not read.
    """
    if alpha == 0:
        return np.asarray(states @ goal)
    line = goal - baseline
    along = np.outer((states - goal) @ line / (line @ line), line)  # from g, which lies on L, to the foot of s
    return np.asarray(1 - 0.5 * ((alpha * along + (1 - alpha) * (states - goal)) ** 2).sum(axis=1))
