"""Losses of rows that people rated by several attributes, on a head with one or several numbers for each of them.

Legend: B rows, K attributes, n numbers of an attribute. A label that is missing (NaN) is not read.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from posttrain.core.maths.gates import mixed
from posttrain.core.parts import PartError, PerRow, PerRowMany

# Of helpfulness, correctness, coherence, complexity and verbosity, in the score of HelpSteer2's Llama 3 70B.
HELPSTEER = (0.65, 0.8, 0.45, 0.55, -0.4)


def attribute_error(scores: PerRowMany, attributes: PerRowMany) -> PerRow:
    """Squared error of each attribute that is rated, summed: Σ_k (r_k - a_k)²."""
    return _missing(by_attribute(scores, attributes, 1)[..., 0] - attributes).square().sum(1)


def pinball(scores: PerRowMany, attributes: PerRowMany) -> PerRow:
    """Quantile regression: the mean over Q levels of the pinball loss of each attribute, summed over the attributes.

    Σ_k 1/Q Σ_i max(τ_i u, (τ_i - 1) u),    u = a_k - q_ki,    τ_i = i/(Q+1)
    """
    quantiles = by_attribute(scores, attributes)
    count = quantiles.shape[-1]
    level = torch.arange(1, count + 1, dtype=scores.dtype, device=scores.device) / (count + 1)
    above = _missing(attributes[..., None] - quantiles)
    return torch.maximum(level * above, (level - 1) * above).mean(-1).sum(1)


def gaussian_nll(scores: PerRowMany, attributes: PerRowMany, *, floor: float = 0.05) -> PerRow:
    """Negative log-likelihood of the ratings under a normal distribution for each attribute, up to a constant.

        Σ_k [(a_k - μ_k)² / 2s_k² + log s_k],    s_k² = e^{2ℓ_k} + s₀²

    Settings:
        floor: s₀, least standard deviation; above 0, about a tenth of the distance between two ratings.
    """
    mean, log_deviation = by_attribute(scores, attributes, 2).unbind(-1)
    log_variance = torch.logaddexp(2 * log_deviation, torch.full_like(log_deviation, 2 * math.log(floor)))
    squared = _missing(attributes - mean).square()
    loss = 0.5 * (squared * (-log_variance).exp() + log_variance)
    return torch.where(attributes.isnan(), 0, loss).sum(1)


def absolute_error(scores: PerRowMany, attributes: PerRowMany) -> PerRow:
    """Mean distance between what is predicted of an attribute (the median of its quantiles) and its rating."""
    numbers = by_attribute(scores, attributes)
    middle = numbers[..., (numbers.shape[-1] - 1) // 2]
    known = (~attributes.isnan()).sum(1).clamp(min=1)
    return _missing(middle - attributes).abs().sum(1) / known


def gated(gate: PerRowMany, scores: PerRowMany) -> PerRow:
    """Mix the attributes of an answer as its prompt weighs them: Σ_k g_k r_k, g = softmax(gate)."""
    return mixed(gate, scores)


def by_attribute(scores: Tensor, attributes: Tensor, numbers: int | None = None) -> Tensor:
    """Return the numbers of a head for each attribute: [B, K n] -> [B, K, n].

    Raises PartError if the head does not have `numbers` (None: any count) for each attribute of the data.
    """
    rated, given = attributes.shape[1], scores.shape[1]
    if given % rated or (numbers or given // rated) != given // rated:
        raise PartError(
            f"the head gives {given} numbers, and the data has {rated} attributes"
            f"{f' with {numbers} numbers each' if numbers else ''}; set method.scores.mix to a list of {rated} weights"
        )
    return scores.reshape(len(scores), rated, -1)


def _missing(x: Tensor) -> Tensor:
    """Put 0, without a gradient, where a difference to a label that is missing is NaN."""
    return torch.where(x.isnan(), 0, x)
