"""Aligning Neural Machine Translation Models: Human Feedback in Training and Inference (Ramos et al., 2024).

Minimum Bayes risk: the answer that agrees best with all answers, each of which stands for a reference.

    y = argmax_i 1/n Σ_j u(y_i, y_j)

u is a reward that compares an answer with a reference (`translation`, a learned metric), which reads the other answers
in place of its column. If u is 1 for equal answers and 0 for others, it is the vote of the majority. n² comparisons.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean


def mbr(agreement: Sequence[Sequence[float]], *, n: int = 16) -> int:  # noqa: ARG001
    """Pick the answer with the highest mean agreement.

    Settings:
        n: answers to each prompt; at least 1, where 1 chooses nothing, 16 to 200 is usual.
    """
    return max(range(len(agreement)), key=lambda i: fmean(agreement[i]))
