"""Penalties on the distance to a reference and on certainty."""

from __future__ import annotations

import torch

from posttrain.core.maths.divergence import bounded_exp, k1, k2, k3
from posttrain.core.parts import PerToken, PerTokenVocab


def kl_k1(logp: PerToken, ref_logp: PerToken) -> PerToken:
    """Estimate k1 of the KL, log π/π_ref: unbiased, and useless as a loss, since its gradient has mean zero."""
    return k1(logp - ref_logp)


def kl_k2(logp: PerToken, ref_logp: PerToken) -> PerToken:
    """Estimate k2 of the KL, (log π/π_ref)² / 2: on policy its gradient is that of KL(π || π_ref)."""
    return k2(logp - ref_logp)


def kl_k3(logp: PerToken, ref_logp: PerToken) -> PerToken:
    """Estimate k3 of the KL, π_ref/π - log π_ref/π - 1: unbiased and never negative.

    On policy its gradient is that of KL(π_ref || π).
    """
    return k3(logp - ref_logp)


def kl_k3_corrected(logp: PerToken, old_logp: PerToken, ref_logp: PerToken) -> PerToken:
    """Estimate k3 of the KL times the ratio: ρ k3, with ρ = π/π_old (DeepSeek-AI, 2025, DeepSeek-V3.2).

    Its gradient is that of KL(π || π_ref), on policy and off it.
    """
    return bounded_exp(logp - old_logp) * k3(logp - ref_logp)


def kl_k1_straight(logp: PerToken, ref_logp: PerToken) -> PerToken:
    """Estimate k1 of the KL with the gradient of k2: sg(k1 - k2) + k2, "k1+" in verl."""
    d = logp - ref_logp
    return (k1(d) - k2(d)).detach() + k2(d)


def kl_k3_straight(logp: PerToken, ref_logp: PerToken) -> PerToken:
    """Estimate k3 of the KL with the gradient of k2: sg(k3 - k2) + k2, "k3+" in verl."""
    d = logp - ref_logp
    return (k3(d) - k2(d)).detach() + k2(d)


def forward_kl(logits: PerTokenVocab, ref_logits: PerTokenVocab) -> PerToken:
    """Forward KL(π_ref || π) over the whole vocabulary at every position."""
    p, q = ref_logits.log_softmax(-1), logits.log_softmax(-1)
    return (p.exp() * (p - q)).sum(-1)


def reverse_kl(logits: PerTokenVocab, ref_logits: PerTokenVocab) -> PerToken:
    """Reverse KL(π || π_ref) over the whole vocabulary at every position."""
    p, q = ref_logits.log_softmax(-1), logits.log_softmax(-1)
    return (q.exp() * (q - p)).sum(-1)


def log_ratio_size(logp: PerToken, old_logp: PerToken) -> PerToken:
    """How far the log-prob of a token has moved, either way: |log π/π_old|."""
    return torch.abs(logp - old_logp)


def minus_entropy(entropy: PerToken) -> PerToken:
    """Minus the entropy: -H(π)."""
    return -entropy


def entropy_of(entropy: PerToken) -> PerToken:
    """Entropy H(π), as a metric."""
    return entropy


def sampler_gap(old_logp: PerToken, rollout_logp: PerToken) -> PerToken:
    """Disagreement of trainer and sampler about a token: |log π_old - log π_sampler|."""
    return torch.abs(old_logp - rollout_logp)
