"""Proxy-RLHF: Decoupling Generation and Alignment in Large Language Model with Proxy (Zhu et al., 2024).

A small proxy looks at each token that the model proposes and accepts or rejects it; after a rejection the model
proposes another one. The proxy is a head on the state behind the candidate.

    a(v) = σ(proxy(s v)),    v ~ π(· | s) without the rejected,    until v is accepted

Candidates are the K likeliest tokens, so that answers stay within what the model knows; the last one left, or the one
after `most` rejections, is accepted whatever the proxy says. A proxy that accepts all gives the model, cut to K tokens.
The distribution of the accepted token is computed exactly, over all orders in which tokens may have been rejected:

    P(v) = Σ_R P(R) π(v)/(1 - π(R)) a(v),    P(R ∪ {v}) += P(R) π(v)/(1 - π(R)) (1 - a(v)),    P(∅) = 1
"""

from __future__ import annotations

import torch
from torch import Tensor

from posttrain.core.decoder import After, Logits
from posttrain.errors import ConfigError

MOST_CANDIDATES = 8  # whose 2^K sets of rejected tokens are enumerated


def proxy(policy: Logits, proxy_after: After, *, top_k: int = 5, most: int = 4) -> Logits:
    """Let the proxy accept or reject proposals of the model.

    Settings:
        top_k: K, candidates for each token; 1 to 8, where 1 leaves the proxy no choice.
        most: rejections after which the next proposal is accepted; at least 0, 0 is the model, below K.
    """
    if not 1 <= top_k <= MOST_CANDIDATES:
        raise ConfigError(f"proxy.top_k must be between 1 and {MOST_CANDIDATES}, not {top_k}")
    logits, candidates = policy.topk(min(top_k, policy.shape[-1]), -1)
    accepts = proxy_after(candidates).to(logits.dtype).sigmoid()
    chances = accepted(logits.softmax(-1), accepts, most)
    return torch.full_like(policy, -torch.inf).scatter(-1, candidates, chances.log())


def accepted(chances: Tensor, accepts: Tensor, most: int) -> Tensor:
    """The probability that each candidate is the accepted one: [S, K], from proposals and acceptances [S, K]."""
    count = chances.shape[-1]
    reached = {0: torch.ones_like(chances[:, 0])}  # set of rejected tokens as bits -> its probability
    result = torch.zeros_like(chances)
    for rejected in range(2**count - 1):
        if rejected not in reached:
            continue
        left = [k for k in range(count) if not rejected >> k & 1]
        proposed = reached[rejected][:, None] * chances[:, left] / chances[:, left].sum(-1, keepdim=True)
        forced = len(left) == 1 or rejected.bit_count() >= most
        taken = proposed if forced else proposed * accepts[:, left]
        result[:, left] += taken
        for place, k in enumerate(left if not forced else ()):
            after = rejected | 1 << k
            reached[after] = reached.get(after, 0) + proposed[:, place] - taken[:, place]
    return result
