"""Penalties on the distance to a reference, and on certainty."""

from __future__ import annotations

import torch

from posttrain.core.maths.divergence import k1, k2, k3
from posttrain.core.parts import PerToken, PerTokenVocab


def kl_k1(logp: PerToken, ref_logp: PerToken) -> PerToken:
    """log π/π_ref: unbiased, and of no use as a loss (its gradient has mean zero)."""
    return k1(logp - ref_logp)


def kl_k2(logp: PerToken, ref_logp: PerToken) -> PerToken:
    """(log π/π_ref)² / 2: on policy its gradient is that of KL(π || π_ref)."""
    return k2(logp - ref_logp)


def kl_k3(logp: PerToken, ref_logp: PerToken) -> PerToken:
    """π_ref/π - log π_ref/π - 1: unbiased, never negative; on policy its gradient is that of KL(π_ref || π)."""
    return k3(logp - ref_logp)


def forward_kl(logits: PerTokenVocab, ref_logits: PerTokenVocab) -> PerToken:
    """KL(π_ref || π) over the whole vocabulary at every position."""
    p, q = ref_logits.log_softmax(-1), logits.log_softmax(-1)
    return (p.exp() * (p - q)).sum(-1)


def reverse_kl(logits: PerTokenVocab, ref_logits: PerTokenVocab) -> PerToken:
    """KL(π || π_ref) over the whole vocabulary at every position."""
    p, q = ref_logits.log_softmax(-1), logits.log_softmax(-1)
    return (q.exp() * (q - p)).sum(-1)


def minus_entropy(entropy: PerToken) -> PerToken:
    """-H(π)"""
    return -entropy


def entropy_of(entropy: PerToken) -> PerToken:
    """H(π), for the log."""
    return entropy


def sampler_gap(old_logp: PerToken, rollout_logp: PerToken) -> PerToken:
    """|log π_old - log π_sampler|: how far the trainer and the sampler disagree about the same token."""
    return torch.abs(old_logp - rollout_logp)
