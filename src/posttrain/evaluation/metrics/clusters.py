"""Creativity Has Left the Chat: The Price of Debiasing Language Models (Mohammadi, 2024).

Answers that say nearly the same form a cluster; a cluster that a model returns to when its beginning is disturbed is an
attractor:

    entropy      = -mean_t log p(y_t | y_<t)     of sampled tokens, an estimate of the mean entropy at this temperature
    cluster      = answers linked by cosines of at least a threshold
    largest      = share of the answers in the largest cluster
    return rate  = share of continuations of disturbed beginnings that end in the cluster
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from posttrain.evaluation.metrics.diversity import Vector, cosine

THRESHOLD = 0.8


def clusters(vectors: Sequence[Vector], threshold: float = THRESHOLD) -> list[list[int]]:
    """Return the indices of each cluster, the largest first: what is as near as `threshold` to a member is one."""
    left, found = list(range(len(vectors))), []
    while left:
        own, new = [left[0]], [left[0]]
        left = left[1:]
        while new:
            near = [i for i in left if any(cosine(vectors[i], vectors[j]) >= threshold for j in new)]
            left = [i for i in left if i not in near]
            own, new = own + near, near
        found.append(sorted(own))
    return sorted(found, key=lambda c: (-len(c), c))


def largest_share(vectors: Sequence[Vector], threshold: float = THRESHOLD) -> float | None:
    """Return the share of the largest cluster; None without vectors."""
    return len(clusters(vectors, threshold)[0]) / len(vectors) if vectors else None


def returns(continuations: Sequence[Vector], members: Sequence[Vector], threshold: float = THRESHOLD) -> list[bool]:
    """Return for each continuation whether it is as near as `threshold` to a member of the cluster."""
    return [any(cosine(c, m) >= threshold for m in members) for c in continuations]


def entropy(logp: Sequence[float]) -> float | None:
    """Return the mean of -log p of sampled tokens, in nats; None without tokens. 0 where the choice was certain."""
    return 0.0 - fmean(logp) if logp else None
