"""One pass of a network over flat tokens, and what its outputs read from it.

Legend: T tokens of all rows end to end, N chosen tokens, B rows, D hidden width.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor, nn

from posttrain.core.rows import Rows
from posttrain.models.energy import LastMLP
from posttrain.models.kernels.padded_blocks import take
from posttrain.models.watched import Watched


class Readout(Protocol):
    """What a network computes from hidden states."""

    caution: float  # standard deviations that a score is lowered by
    vocab_size: int
    heads: nn.ModuleDict

    def logits(self, states: Tensor) -> Tensor:
        """Scores of all next tokens: [N, D] -> [N, V]."""

    def selected(
        self, before: Tensor, targets: Tensor, tau: Tensor, want_entropy: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Log-probs [N] of targets [N] from the states before them [N, D], and entropies [N] if wanted."""

    def above_mean(self, before: Tensor, targets: Tensor) -> Tensor:
        """Logits [N] of targets [N] from the states before them [N, D], less the mean over the vocabulary."""

    def head(self, name: str, states: Tensor) -> Tensor:
        """What a head says of states: [N, D] -> [N], or [N, K] for a head of K numbers that are not combined."""

    def numbers(self, name: str, states: Tensor) -> Tensor:
        """All numbers of a head: [N, D] -> [N, K]."""


@dataclass
class ForwardPass:
    """The hidden states of a batch. An output is a function of it; several outputs share one.

    `states` [S, D] are those of the tokens as they were read, shared prefixes once; `index` [T] says which of them is
    the state after each token. `written` [T] marks the tokens whose log-probs are wanted. `temperature` is a number
    or [T]. `wants_entropy`: whether entropies are computed beside the log-probs, which costs little more.
    """

    network: Readout
    tokens: Tensor
    rows: Rows
    written: Tensor
    temperature: Tensor | float
    states: Tensor
    index: Tensor
    wants_entropy: bool
    watched: Watched | None = None  # what the last layer attended with, if an output asks for it
    last_mlp: LastMLP | None = None  # what its MLP read and wrote, likewise

    @cached_property
    def first(self) -> Tensor:
        """Whether a token is the first of its row, which nothing predicts: [T]."""
        return self.rows.index.diff(prepend=self.rows.index.new_tensor([-1])) != 0

    def after(self) -> Tensor:
        """The state after each token: [T, D]."""
        return take(self.states, self.index)

    def before(self) -> Tensor:
        """The state before each token, from which it is predicted: [T, D]; meaningless for the first of a row."""
        return take(self.states, self.index.roll(1))

    def at_last(self) -> Tensor:
        """The state after the last token of each row: [B, D]."""
        return take(self.states, self.index[self.rows.sizes.cumsum(0) - 1])

    def at_prompt(self) -> Tensor:
        """The state after the last token of each row's prompt: [B, D]."""
        prompt = Rows(self.rows.index, self.written, self.rows.count).prefix_length().clamp(min=1)
        starts = self.rows.sizes.cumsum(0) - self.rows.sizes
        return take(self.states, self.index[starts + prompt - 1])

    @cached_property
    def predicting(self) -> tuple[Tensor, Tensor, Tensor]:
        """The state [N, D] that each written token is predicted from, its place [N], its temperature [N] or one."""
        place = (self.written & ~self.first).nonzero()[:, 0]
        before = take(self.states, self.index[place - 1])
        tau = positive(self.temperature, before)
        return before, place, tau[place] if tau.dim() else tau

    @cached_property
    def logp_and_entropy(self) -> tuple[Tensor, Tensor | None]:
        """Log-prob of each written token, and the entropy of its distribution if wanted: [T], 0 elsewhere."""
        before, place, tau = self.predicting
        logp, entropy = self.network.selected(before, self.tokens[place], tau, self.wants_entropy)
        return self.spread(logp, place), None if entropy is None else self.spread(entropy, place)

    def spread(self, x: Tensor, place: Tensor) -> Tensor:
        """[N] at the places [N] of all tokens, 0 elsewhere: [T]."""
        return x.new_zeros(len(self.tokens)).index_copy(0, place, x)


def positive(temperature: Tensor | float, like: Tensor) -> Tensor:
    """The temperature as a tensor, with 1 in place of 0."""
    wide = torch.promote_types(like.dtype, torch.float32)
    tau = torch.as_tensor(temperature, dtype=wide, device=like.device)
    return torch.where(tau > 0, tau, 1)
