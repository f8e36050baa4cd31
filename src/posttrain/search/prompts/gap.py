"""RLPrompt: Optimizing Discrete Text Prompts with Reinforcement Learning (Deng et al., 2022): what a prompt earns.

A prompt for a classifier earns the distance of the right label from the best wrong one, a prompt for a writer the mean
over a few groups of the best of its texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from posttrain.seeds import seed_for

RIGHT, WRONG = 200.0, 180.0  # what a gap is worth where the right label is ahead, and where it is not


def gap(probabilities: Sequence[float], label: int, *, right: float = RIGHT, wrong: float = WRONG) -> float:
    """Return right · g where g > 0, else wrong · g, with g = p_label - max of the others.

    (0.6, 0.3, 0.1) gives 60 with label 0 and -54 with label 1. TEMPERA has right = 2 and wrong = 1.8.
    """
    others = [p for i, p in enumerate(probabilities) if i != label]
    g = probabilities[label] - max(others)
    return right * g if g > 0 else wrong * g


def best_of_groups(rewards: Sequence[float], groups: int, seed: int = 0) -> float:
    """Return the mean over `groups` of the largest of rewards that are drawn again, as many as there are in a group.

    Without groups it is the mean. A bootstrap: each group has len(rewards) / groups of them, with repetition.
    """
    if not groups:
        return fmean(rewards)
    size = max(1, len(rewards) // groups)
    drawn = [[rewards[seed_for(seed, k, i) % len(rewards)] for i in range(size)] for k in range(groups)]
    return fmean(max(group) for group in drawn)
