"""Log-probabilities of chosen tokens without ever holding the logits of all of them.

The vocabulary passes by in tiles, the sums of the softmax grow along (Milakov and Gimelshein, 2018). The matrix
products take all tokens at once, what lies between them is done on slabs that stay in the cache.

Legend: N chosen tokens, D hidden width, V vocabulary, L tokens of a slab, W words of a tile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from posttrain.models.kernels import fused
from posttrain.models.kernels.elementwise import slabs

TILE = 2**24  # logits in memory at once,
NARROW = 256  # or those of so many words, if that is more
FEW = 2**25  # up to so many the backward pass finds again


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
    (float64 for float64 inputs). The backward pass recomputes many logits: memory is O(N D + TILE + FEW), not O(N V).
    """
    wide = torch.promote_types(hidden.dtype, torch.float32)
    tau = torch.as_tensor(temperature, dtype=wide, device=hidden.device).expand(len(hidden)).contiguous()
    logp, entropy = _SelectedLogp.apply(hidden, weight, bias, targets, tau, want_entropy)  # type: ignore[no-untyped-call]
    return logp, entropy if want_entropy else None


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
        top, mass = torch.full_like(tau, -torch.inf), torch.zeros_like(tau)
        energy, chosen = torch.zeros_like(tau), torch.zeros_like(tau)  # sum of odds * logit; the target's logit
        tiles = _Tiles(hidden, weight, keep=any(ctx.needs_input_grad))
        for words, logits in tiles.of(hidden, weight, bias):
            _add_words(logits, tau, targets - words.start, top, mass, energy, chosen, want_entropy)
        whole = top + mass.log()
        entropy = whole - energy / mass if want_entropy else torch.zeros_like(tau)
        ctx.save_for_backward(hidden, weight, bias, targets, tau, whole, entropy)
        ctx.want_entropy, ctx.tiles = want_entropy, tiles if tiles.known else None
        return chosen - whole, entropy

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """d logit = (g_logp (onehot - p) - g_entropy p (log p + entropy)) / temperature."""
        hidden, weight, bias, targets, tau, whole, entropy = ctx.saved_tensors
        of_logp, of_entropy = (g / tau for g in gradients)
        wants_hidden, wants_weight, wants_bias = ctx.needs_input_grad[:3]
        d_hidden = torch.zeros_like(hidden, dtype=tau.dtype) if wants_hidden else None  # summed over tiles
        d_weight = torch.empty_like(weight) if wants_weight else None
        d_bias = torch.empty_like(bias) if wants_bias else None
        tiles, ctx.tiles = ctx.tiles or _Tiles(hidden, weight, keep=False), None  # they are written over: found once
        for words, logits in tiles.of(hidden, weight, bias):
            _back_words(logits, tau, targets - words.start, whole, entropy, of_logp, of_entropy, ctx.want_entropy)
            if d_hidden is not None:
                d_hidden += (logits @ weight[words]).to(tau.dtype)  # the sum of two types is slow on a CPU
            if d_weight is not None:
                torch.mm(logits.T, hidden, out=d_weight[words])
            if d_bias is not None:
                d_bias[words] = logits.sum(0, dtype=tau.dtype)
        d_hidden = None if d_hidden is None else d_hidden.to(hidden.dtype)
        return d_hidden, d_weight, d_bias, None, None, None


class _Tiles:
    """Neighbouring words and their logits [N, W], in the type of the weights.

    Few of them stay `known`; of many, each tile takes the memory of the last.
    """

    def __init__(self, hidden: Tensor, weight: Tensor, *, keep: bool) -> None:
        rows, words = len(hidden), len(weight)
        self.size = min(words, max(NARROW, TILE // max(1, rows)))
        self.stay = keep and rows * words <= FEW
        self.memory = hidden.new_empty(rows * (words if self.stay else self.size))
        self.known = False

    def of(self, hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Iterator[tuple[slice, Tensor]]:
        for start in range(0, len(weight), self.size):
            words = slice(start, min(start + self.size, len(weight)))
            count = len(hidden) * (words.stop - start)
            first = len(hidden) * start if self.stay else 0
            tile = self.memory[first : first + count].view(len(hidden), words.stop - start)
            if not self.known:
                if bias is None:
                    torch.mm(hidden, weight[words].T, out=tile)
                else:
                    torch.addmm(bias[words], hidden, weight[words].T, out=tile)
            yield words, tile
        self.known = self.stay


def _add_words(
    logits: Tensor,
    tau: Tensor,
    column: Tensor,
    top: Tensor,
    mass: Tensor,
    energy: Tensor,
    chosen: Tensor,
    want_entropy: bool,
) -> None:
    """Logits [N, W] into what is known of each law [N]: highest score, sums of odds and of odds times score, and the
    score in the token's column [N] where the tile has it."""
    if fused.runs(logits) and fused.runs(tau, top, mass, energy, chosen):
        fused.add_words(logits, tau, column, top, mass, energy, chosen)
        return
    for part in slabs(logits):
        scores = logits[part].to(tau.dtype, copy=True).div_(tau[part, None])
        _pick(scores, column[part], chosen[part])
        highest = torch.maximum(top[part], scores.amax(-1))
        odds = (scores - highest[:, None]).exp_()
        shrink = (top[part] - highest).exp_()
        mass[part] = mass[part] * shrink + odds.sum(-1)
        if want_entropy:
            energy[part] = energy[part] * shrink + odds.mul_(scores).sum(-1)
        top[part] = highest


def _back_words(
    logits: Tensor,
    tau: Tensor,
    column: Tensor,
    whole: Tensor,
    entropy: Tensor,
    of_logp: Tensor,
    of_entropy: Tensor,
    want_entropy: bool,
) -> None:
    """Writes over logits [N, W] what comes back to them."""
    if fused.runs(logits) and fused.runs(tau, whole, entropy, of_logp, of_entropy):
        fused.back_words(logits, tau, column, whole, entropy, of_logp, of_entropy)
        return
    for part in slabs(logits):
        law = logits[part].to(tau.dtype).div_(tau[part, None]).sub_(whole[part, None])
        slope = of_logp[part, None]
        if want_entropy:
            slope = slope + of_entropy[part, None] * (law + entropy[part, None])
        d = law.exp().mul_(-slope)
        _place(d, column[part], of_logp[part])
        logits[part] = d


def _pick(scores: Tensor, column: Tensor, into: Tensor) -> None:
    """Of scores [L, W] the one in each row's column, written to `into` [L] where the tile has that column."""
    here = (column >= 0) & (column < scores.shape[1])
    found = scores.gather(1, column.clamp(0, scores.shape[1] - 1)[:, None])[:, 0]
    into.copy_(torch.where(here, found, into))


def _place(scores: Tensor, column: Tensor, value: Tensor) -> None:
    """Adds value [L] to each row's column of scores [L, W] where the tile has that column."""
    here = (column >= 0) & (column < scores.shape[1])
    scores.scatter_add_(1, column.clamp(0, scores.shape[1] - 1)[:, None], torch.where(here, value, 0)[:, None])
