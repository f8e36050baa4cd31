"""Log-probabilities of target tokens without holding all logits in memory.

The vocabulary is processed in tiles, with the running statistics of an online softmax (Milakov and Gimelshein, 2018).
The matrix products take all tokens at once; the work between them is done on slabs of tokens that stay in the cache.

Legend: N target tokens, D hidden width, V vocabulary, L tokens of a slab, W vocabulary entries of a tile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from posttrain.models.kernels import fused
from posttrain.models.kernels.elementwise import slabs

TILE = 2**24  # logits in memory at once,
MIN_WIDTH = 256  # or those of this number of vocabulary entries, if that is more
STORED = 2**25  # logits up to which the backward pass reuses those of the forward pass


def selected_logp(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    temperature: Tensor | float = 1.0,
    want_entropy: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Return log-probs of targets [N] under softmax((hidden @ weight.T + bias) / temperature), and its entropy.

    hidden [N, D], weight [V, D], bias [V], temperature a number or [N] -> [N], [N]. The softmax is computed in float32
    (float64 for float64 inputs). The entropy is None unless wanted. The backward pass recomputes the logits if there
    are more than STORED: memory is O(N D + TILE + STORED), not O(N V).
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
        maximum, sum_exp = torch.full_like(tau, -torch.inf), torch.zeros_like(tau)
        sum_exp_score, target_score = torch.zeros_like(tau), torch.zeros_like(tau)
        statistics = maximum, sum_exp, sum_exp_score, target_score
        tiles = _Tiles(hidden, weight, keep=any(ctx.needs_input_grad))
        for tile, logits in tiles.of(hidden, weight, bias):
            _accumulate_tile(logits, tau, targets - tile.start, *statistics, want_entropy)
        logsumexp = maximum + sum_exp.log()
        entropy = logsumexp - sum_exp_score / sum_exp if want_entropy else torch.zeros_like(tau)
        ctx.save_for_backward(hidden, weight, bias, targets, tau, logsumexp, entropy)
        ctx.want_entropy, ctx.tiles = want_entropy, tiles if tiles.filled else None
        return target_score - logsumexp, entropy

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """d logit = (d logp (onehot - p) - d entropy p (log p + entropy)) / temperature."""
        hidden, weight, bias, targets, tau, logsumexp, entropy = ctx.saved_tensors
        dlogp, dentropy = (g / tau for g in gradients)
        wants_hidden, wants_weight, wants_bias = ctx.needs_input_grad[:3]
        dhidden = torch.zeros_like(hidden, dtype=tau.dtype) if wants_hidden else None  # summed over tiles
        dweight = torch.empty_like(weight) if wants_weight else None
        dbias = torch.empty_like(bias) if wants_bias else None
        tiles, ctx.tiles = ctx.tiles or _Tiles(hidden, weight, keep=False), None  # the gradients overwrite them
        for tile, logits in tiles.of(hidden, weight, bias):
            column = targets - tile.start
            _tile_backward(logits, tau, column, logsumexp, entropy, dlogp, dentropy, ctx.want_entropy)
            if dhidden is not None:
                dhidden += (logits @ weight[tile]).to(tau.dtype)  # adding two dtypes is slow on a CPU
            if dweight is not None:
                torch.mm(logits.T, hidden, out=dweight[tile])
            if dbias is not None:
                dbias[tile] = logits.sum(0, dtype=tau.dtype)
        dhidden = None if dhidden is None else dhidden.to(hidden.dtype)
        return dhidden, dweight, dbias, None, None, None


class _Tiles:
    """Tiles of the vocabulary and their logits [N, W], in the dtype of the weights.

    Up to STORED logits are kept, and `filled` says that they are there. Beyond that every tile reuses the same memory.
    """

    def __init__(self, hidden: Tensor, weight: Tensor, *, keep: bool) -> None:
        rows, vocab_size = len(hidden), len(weight)
        self.width = min(vocab_size, max(MIN_WIDTH, TILE // max(1, rows)))
        self.keep = keep and rows * vocab_size <= STORED
        self.memory = hidden.new_empty(rows * (vocab_size if self.keep else self.width))
        self.filled = False

    def of(self, hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Iterator[tuple[slice, Tensor]]:
        for start in range(0, len(weight), self.width):
            tile = slice(start, min(start + self.width, len(weight)))
            count = len(hidden) * (tile.stop - start)
            first = len(hidden) * start if self.keep else 0
            logits = self.memory[first : first + count].view(len(hidden), tile.stop - start)
            if not self.filled:
                if bias is None:
                    torch.mm(hidden, weight[tile].T, out=logits)
                else:
                    torch.addmm(bias[tile], hidden, weight[tile].T, out=logits)
            yield tile, logits
        self.filled = self.keep


def _accumulate_tile(
    logits: Tensor,
    tau: Tensor,
    column: Tensor,
    maximum: Tensor,
    sum_exp: Tensor,
    sum_exp_score: Tensor,
    target_score: Tensor,
    want_entropy: bool,
) -> None:
    """Fold one vocabulary tile of logits [N, W] into each row's running softmax statistics [N].

    With score = logit / tau they are the maximum, the sums of exp(score - maximum) and of exp(score - maximum) * score,
    and the score in the target's column [N], if the tile has it.
    """
    if fused.supports(logits) and fused.supports(tau, maximum, sum_exp, sum_exp_score, target_score):
        fused.accumulate_tile(logits, tau, column, maximum, sum_exp, sum_exp_score, target_score)
        return
    for part in slabs(logits):
        scores = logits[part].to(tau.dtype, copy=True).div_(tau[part, None])
        _read_target(scores, column[part], target_score[part])
        highest = torch.maximum(maximum[part], scores.amax(-1))
        weights = (scores - highest[:, None]).exp_()
        rescale = (maximum[part] - highest).exp_()
        sum_exp[part] = sum_exp[part] * rescale + weights.sum(-1)
        if want_entropy:
            sum_exp_score[part] = sum_exp_score[part] * rescale + weights.mul_(scores).sum(-1)
        maximum[part] = highest


def _tile_backward(
    logits: Tensor,
    tau: Tensor,
    column: Tensor,
    logsumexp: Tensor,
    entropy: Tensor,
    dlogp: Tensor,
    dentropy: Tensor,
    want_entropy: bool,
) -> None:
    """Overwrite the logits [N, W] of a tile with their gradient. `dlogp` and `dentropy` [N] come divided by tau."""
    if fused.supports(logits) and fused.supports(tau, logsumexp, entropy, dlogp, dentropy):
        fused.tile_backward(logits, tau, column, logsumexp, entropy, dlogp, dentropy)
        return
    for part in slabs(logits):
        log_p = logits[part].to(tau.dtype).div_(tau[part, None]).sub_(logsumexp[part, None])
        slope = dlogp[part, None]
        if want_entropy:
            slope = slope + dentropy[part, None] * (log_p + entropy[part, None])
        dlogits = log_p.exp().mul_(-slope)
        _add_to_target(dlogits, column[part], dlogp[part])
        logits[part] = dlogits


def _read_target(scores: Tensor, column: Tensor, into: Tensor) -> None:
    """Copy the score in each row's column of scores [L, W] to `into` [L], where the tile has that column."""
    inside = (column >= 0) & (column < scores.shape[1])
    at_column = scores.gather(1, column.clamp(0, scores.shape[1] - 1)[:, None])[:, 0]
    into.copy_(torch.where(inside, at_column, into))


def _add_to_target(scores: Tensor, column: Tensor, value: Tensor) -> None:
    """Add value [L] to each row's column of scores [L, W], where the tile has that column."""
    inside = (column >= 0) & (column < scores.shape[1])
    scores.scatter_add_(1, column.clamp(0, scores.shape[1] - 1)[:, None], torch.where(inside, value, 0)[:, None])
