"""A two-layer causal transformer with many heads, in float64 and small enough for an independent reference.

Use it where a test of methods needs a real network. Padding lives here only. It offers what a learner asks of a model:
outputs(tokens, rows, names, ...).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

VOCABULARY = 8


class TinyNet(nn.Module):
    def __init__(self, seed: int, width: int = 12, heads: int = 2, layers: int = 2, longest: int = 16, scores: int = 1):
        super().__init__()
        self.token, self.place = nn.Embedding(VOCABULARY, width), nn.Embedding(longest, width)
        self.attention_heads = heads
        self.blocks = nn.ModuleList(
            nn.ModuleDict(
                {
                    "qkv": nn.Linear(width, 3 * width),
                    "out": nn.Linear(width, width),
                    "up": nn.Linear(width, 2 * width),
                    "down": nn.Linear(2 * width, width),
                    "n1": nn.LayerNorm(width),
                    "n2": nn.LayerNorm(width),
                }
            )
            for _ in range(layers)
        )
        self.lm = nn.Linear(width, VOCABULARY)
        self.value, self.score = nn.Linear(width, 1), nn.Linear(width, scores)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for p in self.parameters():
                size = 0.4 if p.dim() > 1 else 0.1
                p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64) * size)
        self.double()

    def hidden(self, tokens: Tensor) -> Tensor:
        """[B, L] -> [B, L, D]"""
        b, n = tokens.shape
        h = self.token(tokens) + self.place.weight[:n]
        for k in self.blocks:
            q, key, v = k["qkv"](k["n1"](h)).view(b, n, 3, self.attention_heads, -1).permute(2, 0, 3, 1, 4)
            mask = torch.full((n, n), -torch.inf, dtype=h.dtype).triu(1)
            attention = (q @ key.transpose(-1, -2) / q.shape[-1] ** 0.5 + mask).softmax(-1)
            h = h + k["out"]((attention @ v).transpose(1, 2).reshape(b, n, -1))
            h = h + k["down"](torch.tanh(k["up"](k["n2"](h))))
        return h

    def outputs(self, tokens, rows, names, *, written=None, temperature=1.0) -> dict[str, Tensor]:
        sizes = rows.sizes
        column = torch.arange(len(tokens)) - (sizes.cumsum(0) - sizes)[rows.index]
        grid = tokens.new_zeros(rows.count, int(sizes.max())).index_put((rows.index, column), tokens)
        h = self.hidden(grid)
        before = torch.cat([torch.zeros_like(h[:, :1]), h[:, :-1]], 1)[rows.index, column]
        tau = torch.as_tensor(temperature, dtype=h.dtype)
        tau = torch.where(tau > 0, tau, 1.0)
        logits = self.lm(before) / (tau[:, None] if tau.dim() else tau)
        logp = logits.log_softmax(-1)
        makers = {
            "logits": lambda: logits,
            "logp": lambda: logp.gather(-1, tokens[:, None])[:, 0],
            "entropy": lambda: -(logp.exp() * logp).sum(-1),
            "value": lambda: self.value(before)[:, 0],
            "scores": lambda: self.score(h[torch.arange(rows.count), sizes - 1]),
            "score": lambda: self.score(h[torch.arange(rows.count), sizes - 1])[:, 0],
        }
        return {n: makers[n]() for n in names}
