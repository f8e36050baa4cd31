"""The answers in a batch of vLLM, and the tokens that are drawn for them, as the native engine draws them.

vLLM's own generators depend on the steps that a request has run for. Here a token depends on the seed and on its place
in the answer alone, so an answer that was suspended goes on as if it had not been, and both samplers draw the same
answers but for the rounding of their logits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from posttrain.sampling.distribution import draw, truncated, uniforms

SETTINGS = ("seed", "total", "before", "temperature", "top_k", "top_p")


@dataclass
class Row:
    """An answer that runs. `output` is vLLM's own list of the tokens that it has drawn, and grows."""

    settings: Mapping[str, Any]
    output: Sequence[int]

    def __post_init__(self) -> None:
        self.uniforms = uniforms(self.settings["seed"], self.settings["total"])

    @property
    def uniform(self) -> float:
        """The random number of the next token."""
        place: int = self.settings["before"] + len(self.output)
        return self.uniforms[place]


class Rows:
    """The answers by their place in the batch."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}

    def update(
        self,
        removed: Iterable[int],
        added: Iterable[tuple[int, Mapping[str, Any], Sequence[int]]],
        moved: Iterable[tuple[int, int, bool]],
    ) -> None:
        """Follow the answers through the batch, in this order. `moved`: from, to, and whether the two swap places."""
        for index in removed:
            self.rows.pop(index, None)
        for index, settings, output in added:
            self.rows[index] = Row(settings, output)
        for one, other, swap in moved:
            first, second = self.rows.pop(one, None), self.rows.pop(other, None)
            if first is not None:
                self.rows[other] = first
            if second is not None and swap:
                self.rows[one] = second

    def draw(self, logits: Tensor) -> Tensor:
        """Draw a token for every row of logits [S, V], and leave it alone finite: with its log-prob as its logit."""
        rows = [self.rows[i] for i in range(len(logits))]

        def each(name: str, dtype: torch.dtype) -> Tensor:
            return torch.tensor([r.settings[name] for r in rows], dtype=dtype, device=logits.device)

        limits = each("temperature", torch.float64), each("top_k", torch.int64), each("top_p", torch.float64)
        uniform = torch.tensor([r.uniform for r in rows], dtype=torch.float64, device=logits.device)
        token, logp = draw(truncated(logits, *limits), uniform)
        return logits.fill_(-torch.inf).scatter_(1, token[:, None], logp[:, None].to(logits.dtype))
