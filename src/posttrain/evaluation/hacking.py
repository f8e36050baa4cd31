"""On Teacher Hacking in Language Model Distillation (Tiapkin et al., 2025).

A student approaches its teacher (the proxy) and yet moves away from the oracle that the teacher imitates (the gold):

    hacking at step t:   gold(t) > min_{s<t} gold(s)  while  proxy(t) < proxy at that minimum

A sign that needs no oracle: the proxy's curve leaves the power law a t^-b that honest learning follows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Hacking:
    """What a student did to the oracle.

    `since`: index of the best gold distance, after which it rises while the proxy falls; None without hacking.
    `rise`: how far the last gold distance lies above the best.
    """

    since: int | None
    rise: float


def hacking(proxy: Sequence[float], gold: Sequence[float], noise: float = 0.0) -> Hacking:
    """Return whether a student that approaches its teacher leaves the oracle. Distances are in the order of training.

    `noise`: rises of up to this size do not count.
    """
    best = int(np.argmin(gold))
    rise = gold[-1] - gold[best]
    return Hacking(best, rise) if rise > noise and proxy[-1] < proxy[best] else Hacking(None, max(rise, 0.0))


def power_law(steps: Sequence[float], distance: Sequence[float]) -> tuple[float, float]:
    """Return a and b of distance = a t^-b, by least squares of the logarithms."""
    x, y = np.log(np.asarray(steps, float)), np.log(np.asarray(distance, float))
    slope, intercept = np.polyfit(x, y, 1)
    return math.exp(intercept), float(-slope)


def departure(steps: Sequence[float], distance: Sequence[float], seen: float = 0.5) -> float:
    """Return how far the end of a curve lies from the power law of its first part, as log(measured / predicted).

    Near 0 the law still holds. `seen`: the share of the points that the law is fitted to.
    """
    first = max(2, round(seen * len(steps)))
    a, b = power_law(steps[:first], distance[:first])
    return math.log(distance[-1] / (a * steps[-1] ** -b))
