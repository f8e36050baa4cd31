"""Distances of a student from its teacher, of whole distributions and of sampled tokens.

The teacher's logits are as many numbers as the student's: T x V, 4 bytes each, for the tokens of one micro-batch.
"""

from __future__ import annotations

import math

import torch

from posttrain.core.parts import PerToken, PerTokenVocab


def generalised_jsd(logits: PerTokenVocab, teacher_logits: PerTokenVocab, *, beta: float = 0.5) -> PerToken:
    """Generalised Jensen-Shannon divergence at every token (Agarwal et al., 2024), q the teacher and m = β q + (1-β) π.

        β KL(q || m) + (1-β) KL(π || m)        β = 0: KL(q || π)        β = 1: KL(π || q)

    Settings:
        beta: β, from 0 (forward KL, which covers all that the teacher does) to 1 (reverse KL, which seeks its mode).
    """
    student, teacher = logits.log_softmax(-1), teacher_logits.log_softmax(-1)
    if beta == 0:
        return _kl(teacher, student)
    if beta == 1:
        return _kl(student, teacher)
    middle = torch.logaddexp(student + math.log1p(-beta), teacher + math.log(beta))
    return beta * _kl(teacher, middle) + (1 - beta) * _kl(student, middle)


def teacher_log_ratio(old_logp: PerToken, teacher_logp: PerToken) -> PerToken:
    """How much more probable the teacher finds a sampled token: log q - log π_old, whose mean is -KL(π_old || q)."""
    return teacher_logp - old_logp


def _kl(p: torch.Tensor, q: torch.Tensor) -> PerToken:
    """KL of two distributions by their log-probs: [T, V], [T, V] -> [T]."""
    return (p.exp() * (p - q)).sum(-1)
