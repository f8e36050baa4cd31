"""Continual Learning of Large Language Models: A Comprehensive Survey (Shi et al., 2024).

a[t][i] is the score on task i after training on the tasks up to t, b[i] that of the untrained model, T the last task:

    average            = mean_i a[T][i]
    forgetting         = mean_{i<T} (max_{t<T} a[t][i] - a[T][i])
    backward transfer  = mean_{i<T} (a[T][i] - a[i][i])
    forward transfer   = mean_{i>1} (a[i-1][i] - b[i])
    alignment tax      = b[0] - a[T][0], with a suite of general abilities as task 0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

Scores = Sequence[Sequence[float]]  # [stage, task]


@dataclass(frozen=True)
class Transfer:
    """What a sequence of trainings did to all tasks. Forward transfer is None where nothing untrained was measured."""

    average: float
    forgetting: float
    backward: float
    forward: float | None


def transfer(scores: Scores, untrained: Sequence[float] | None = None) -> Transfer:
    """Compute the measures from the scores after each stage on each task, in the order of training.

    With one task nothing is forgotten or transferred. ValueError unless there are as many stages as tasks.
    """
    n = len(scores)
    if not n or any(len(row) != n for row in scores):
        raise ValueError("scores are needed after each stage on each task: a square matrix")
    last, earlier = scores[-1], range(n - 1)
    forgot = [max(scores[t][i] for t in earlier) - last[i] for i in earlier]
    return Transfer(
        average=fmean(last),
        forgetting=fmean(forgot) if forgot else 0.0,
        backward=fmean(last[i] - scores[i][i] for i in earlier) if n > 1 else 0.0,
        forward=_forward(scores, untrained),
    )


def _forward(scores: Scores, untrained: Sequence[float] | None) -> float | None:
    if untrained is None:
        return None
    gains = [scores[i - 1][i] - untrained[i] for i in range(1, len(scores))]
    return fmean(gains) if gains else 0.0


def alignment_tax(before: float, after: float) -> float:
    """Return what training for another aim cost in general abilities; below 0 it has paid."""
    return before - after
