"""Trust, But Verify: A Self-Verification Approach to Reinforcement Learning with Verifiable Rewards (Liu et al., 2025).

RISE at test time: answers vote, and each vote weighs what the model says of its own answer.

    y = the first answer whose final answer is argmax_a Σ_i w_i [final(y_i) = a]

Final answers are what texts mark as such, numbers by their value. Weights w are the rewards that choose: a verdict of
the policy itself, or any other; those that are all the same and above 0 are the vote of the majority.
"""

from __future__ import annotations

from collections.abc import Sequence


def weighted_vote(rewards: Sequence[float], finals: Sequence[str], *, n: int = 16) -> int:  # noqa: ARG001
    """Pick the first answer with the final answer that has the most weight.

    Settings:
        n: answers to each prompt; at least 1, where 1 chooses nothing, 4 to 64 is usual.
    """
    weights: dict[str, float] = {}
    for answer, weight in zip(finals, rewards, strict=True):
        weights[answer] = weights.get(answer, 0.0) + weight
    return finals.index(max(weights, key=lambda answer: weights[answer]))
