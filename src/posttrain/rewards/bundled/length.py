"""A Long Way to Go: Investigating Length Correlations in RLHF (Singhal et al., 2023): length alone as the reward.

The baseline against which a reward model is measured: what a policy gets that learns nothing but to be long.

    reward = 1 - |words / target - 1|
"""

from __future__ import annotations

from collections.abc import Sequence


def length(completions: Sequence[str], *, target: int = 200) -> list[float]:
    """Give 1 to an answer of `target` words, less to shorter and longer ones, and 0 to an empty one.

    Settings:
        target: words of the best answer; at least 1.
    """
    return [1 - abs(len(text.split()) / target - 1) for text in completions]
