"""Log-probabilities of chosen tokens without ever holding the logits of all of them.

Legend: N chosen tokens, D hidden width, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 2**24  # logits in memory at once


def selected_logp(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    temperature: Tensor | float = 1.0,
    want_entropy: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Log-prob of targets [N] under softmax((hidden @ weight.T + bias) / temperature), and the entropy of that law.

    hidden [N, D], weight [V, D], bias [V], temperature a number or [N] -> [N], [N]. The softmax is computed in float32
    (float64 for float64 inputs). The backward pass recomputes the logits: memory is O(N + CHUNK) instead of O(N V).
    """
    wide = torch.promote_types(hidden.dtype, torch.float32)
    tau = torch.as_tensor(temperature, dtype=wide, device=hidden.device).expand(len(hidden))
    logp, entropy = _SelectedLogp.apply(hidden, weight, bias, targets, tau, want_entropy)  # type: ignore[no-untyped-call]
    return logp, entropy if want_entropy else None


def _chunks(count: int, vocabulary: int) -> list[slice]:
    size = max(1, CHUNK // vocabulary)
    return [slice(start, start + size) for start in range(0, count, size)]


def _log_softmax(hidden: Tensor, weight: Tensor, bias: Tensor | None, tau: Tensor) -> Tensor:
    return (F.linear(hidden, weight, bias).to(tau.dtype) / tau[:, None]).log_softmax(-1)


class _SelectedLogp(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        tau: Tensor,
        want_entropy: bool,
    ) -> tuple[Tensor, Tensor]:
        logp, entropy = tau.new_zeros(len(hidden)), tau.new_zeros(len(hidden))
        for part in _chunks(len(hidden), len(weight)):
            law = _log_softmax(hidden[part], weight, bias, tau[part])
            logp[part] = law.gather(1, targets[part, None])[:, 0]
            if want_entropy:
                entropy[part] = -(law.exp() * law).sum(-1)
        ctx.save_for_backward(hidden, weight, bias, targets, tau, entropy)
        ctx.want_entropy = want_entropy
        return logp, entropy

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """d logit = (g_logp (onehot - p) - g_entropy p (log p + entropy)) / temperature."""
        hidden, weight, bias, targets, tau, entropy = ctx.saved_tensors
        of_logp, of_entropy = gradients
        wants_hidden, wants_weight, wants_bias = ctx.needs_input_grad[:3]
        d_hidden = torch.empty_like(hidden) if wants_hidden else None
        # Sums over chunks are kept in float32, whatever the dtype of the weights.
        d_weight = torch.zeros_like(weight, dtype=tau.dtype) if wants_weight else None
        d_bias = torch.zeros_like(bias, dtype=tau.dtype) if wants_bias else None
        for part in _chunks(len(hidden), len(weight)):
            law = _log_softmax(hidden[part], weight, bias, tau[part])
            p = law.exp()
            d = -of_logp[part, None] * p
            if ctx.want_entropy:
                d -= of_entropy[part, None] * p * (law + entropy[part, None])
            d.scatter_add_(1, targets[part, None], of_logp[part, None])
            d /= tau[part, None]
            if d_bias is not None:
                d_bias += d.sum(0)
            d = d.to(hidden.dtype)
            if d_hidden is not None:
                d_hidden[part] = d @ weight
            if d_weight is not None:
                d_weight += d.T @ hidden[part]
        d_weight = None if d_weight is None else d_weight.to(weight.dtype)
        d_bias = None if d_bias is None else d_bias.to(bias.dtype)
        return d_hidden, d_weight, d_bias, None, None, None
