"""Learning to Summarize with Human Feedback (Stiennon et al., 2020).

Best of n: the answer with the highest reward, also called N-best reranking. Equal rewards: the earlier answer.

    KL(best of n || one answer) <= log n - (n - 1)/n
"""

from __future__ import annotations

from collections.abc import Sequence


def best_of_n(rewards: Sequence[float], *, n: int = 16) -> int:  # noqa: ARG001
    """Pick the answer with the highest reward.

    Settings:
        n: answers to each prompt; at least 1, where 1 chooses nothing, 4 to 256 is usual.
    """
    return max(range(len(rewards)), key=lambda i: rewards[i])
