"""Policies that are masked: only tokens that another model finds likely can be drawn, and the rest is renormalised.

Legend: N tokens, S sequences, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor

from posttrain.core.decoder import Logits
from posttrain.core.parts import PerRow, PerToken, PerTokenVocab
from posttrain.core.rows import Rows


def likeliest(scores: Tensor, top_p: float, least: int) -> Tensor:
    """Whether each token is among the likeliest ones whose probabilities add up to `top_p`: [N, V] -> [N, V] bool.

    The token with which the sum reaches it belongs to them, and so do the `least` likeliest ones in any case.
    """
    best = scores.softmax(-1).sort(stable=True, dim=-1, descending=True)
    before = best.values.cumsum(-1) - best.values
    rank = torch.arange(scores.shape[-1], device=scores.device)
    kept = (before < top_p) | (rank < least) if top_p < 1 else torch.ones_like(before, dtype=torch.bool)
    return torch.zeros_like(kept).scatter(-1, best.indices, kept)


def within(policy: Logits, mask: Logits, *, top_p: float = 0.9, least: int = 1) -> Logits:
    """Draw from the policy among the tokens that the mask model finds likeliest.

    Settings:
        top_p: probability that these tokens have under the mask model; above 0, up to 1 (all tokens).
        least: number of tokens that are always among them; at least 1.
    """
    return torch.where(likeliest(mask, top_p, least), policy, -torch.inf)


def masked_logp(
    logits: PerTokenVocab,
    mask_logits: PerTokenVocab,
    tokens: PerToken,
    temperature: PerRow,
    rows: Rows,
    *,
    top_p: float = 0.9,
    least: int = 1,
) -> PerToken:
    """Log-prob of a token under the policy, renormalised over the tokens that the mask model finds likeliest.

        log π̃(y) = log π(y) - log Σ_{v in M} π(v)

    The token itself is always in M: it was drawn, and only rounding could leave it out now.

    Settings:
        top_p: probability that the tokens of M have under the mask model; above 0, up to 1 (all tokens), usually 0.9.
        least: number of tokens that are always in M; at least 1, 100 in the authors' code.
    """
    tau = torch.where(temperature > 0, temperature, 1)[rows.index]
    allowed = likeliest(mask_logits.detach() * tau[:, None], top_p, least).scatter(-1, tokens[:, None], True)
    return torch.where(allowed, logits, -torch.inf).log_softmax(-1).gather(-1, tokens[:, None])[:, 0]
