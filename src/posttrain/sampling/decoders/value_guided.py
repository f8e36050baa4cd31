"""Controlled Decoding from Language Models (Mudgal et al., 2023).

Value-guided decoding: the likeliest tokens are reweighted by what a value head, or a reward model, says behind each.

    π'(v | s) ∝ π(v | s) exp(V(s v)/β)    among the K likeliest tokens

With the soft values V(s) = β log E_π[e^{r/β} | s] and all tokens, whole answers follow π e^{r/β}/Z exactly. A large β
is the model, cut to K tokens. K more steps of the critic for each token.
"""

from __future__ import annotations

import torch

from posttrain.core.decoder import After, Logits


def value_guided(policy: Logits, critic_after: After, *, top_k: int = 10, beta: float = 1.0) -> Logits:
    """Add the value behind each of the likeliest tokens to its log-prob.

    Settings:
        top_k: K, tokens whose values are asked for; at least 1, 5 to 50 is usual.
        beta: β, pull towards the model; above 0, in units of the value, 0.1 to 2 is usual.
    """
    logits, candidates = policy.topk(min(top_k, policy.shape[-1]), -1)
    scores = logits + critic_after(candidates).to(logits.dtype) / beta
    return torch.full_like(policy, -torch.inf).scatter(-1, candidates, scores)
