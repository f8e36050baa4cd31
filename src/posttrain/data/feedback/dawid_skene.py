"""Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm (Dawid and Skene, 1979).

The true class of each item and the confusion matrix of each annotator, from labels alone.

    E: T_ij ∝ p_j Π_k Π_l (π^k_jl)^(n^k_il)        M: p_j = mean_i T_ij,  π^k_jl = (Σ_i T_ij n^k_il + a) / Σ_l' (...)

T_ij: probability that item i is of class j; n^k_il: labels l that annotator k gave to item i.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = Sequence[tuple[Hashable, Hashable, Hashable]]  # (item, annotator, label)


@dataclass(frozen=True)
class Classes:
    """What EM found. `posterior`: [I, J]; `confusion`: [K, J, L], the truth in rows; `likelihood`: log, by step."""

    items: tuple[Hashable, ...]
    annotators: tuple[Hashable, ...]
    classes: tuple[Hashable, ...]
    posterior: NDArray[np.float64]
    prior: NDArray[np.float64]
    confusion: NDArray[np.float64]
    likelihood: tuple[float, ...]

    def accuracy(self) -> dict[Hashable, float]:
        """Return for each annotator the probability to give the true class: Σ_j p_j π_jj."""
        return {a: float(self.prior @ np.diag(self.confusion[k])) for k, a in enumerate(self.annotators)}

    def probabilities(self) -> dict[Hashable, dict[Hashable, float]]:
        """Return for each item the probability of each class."""
        return {
            i: dict(zip(self.classes, map(float, self.posterior[n]), strict=True)) for n, i in enumerate(self.items)
        }


def dawid_skene(labels: Labels, *, iterations: int = 50, smoothing: float = 0.01, tolerance: float = 1e-6) -> Classes:
    """Estimate the classes of items. It starts from the shares of the votes.

    `smoothing`: a, what is added to every count of labels; above 0. `tolerance`: EM ends where no probability of a
    class changes by more.
    """
    if not labels:
        return Classes((), (), (), np.zeros((0, 0)), np.zeros(0), np.zeros((0, 0, 0)), ())
    items, annotators, classes = (tuple(dict.fromkeys(row[n] for row in labels)) for n in range(3))
    counts = np.zeros((len(items), len(annotators), len(classes)))
    places = [{x: n for n, x in enumerate(names)} for names in (items, annotators, classes)]
    for row in labels:
        counts[tuple(place[x] for place, x in zip(places, row, strict=True))] += 1
    posterior = counts.sum(1) / counts.sum((1, 2))[:, None]
    found: list[float] = []
    for _ in range(iterations):
        prior = posterior.mean(0)
        confusion = np.einsum("ij,ikl->kjl", posterior, counts) + smoothing
        confusion /= confusion.sum(2, keepdims=True)
        with np.errstate(divide="ignore"):
            joint = np.log(prior) + np.einsum("ikl,kjl->ij", counts, np.log(confusion))
        most = joint.max(1, keepdims=True)
        each = most[:, 0] + np.log(np.exp(joint - most).sum(1))
        found.append(float(each.sum()))
        previous, posterior = posterior, np.exp(joint - each[:, None])
        if np.abs(posterior - previous).max() < tolerance:
            break
    return Classes(items, annotators, classes, posterior, prior, confusion, tuple(found))
