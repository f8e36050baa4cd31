"""Which pairs count how much, and at which temperature: statistics of all pairs of an optimiser step."""

from __future__ import annotations

import torch

from posttrain.core.maths.groups import Groups
from posttrain.core.parts import PairIndex, PerPair, PerRow, Scalar, State
from posttrain.core.tensors import Rows, keyed_uniform


def usual_gap(state: State | None, chosen: PerPair, rejected: PerPair, *, decay: float = 0.9) -> tuple[State, Scalar]:
    """Moving average (decay) of the mean gap M = chosen - rejected; at first the mean itself."""
    return _moved(state, float((chosen - rejected).mean()), decay, chosen)


def usual_middle(
    state: State | None, chosen: PerPair, rejected: PerPair, *, decay: float = 0.9
) -> tuple[State, Scalar]:
    """Moving average (decay) of the mean of (chosen + rejected)/2; at first the mean itself."""
    return _moved(state, float((chosen + rejected).mean() / 2), decay, chosen)


def gap_spread(state: State | None, chosen: PerPair, rejected: PerPair, *, decay: float = 0.9) -> tuple[State, Scalar]:
    """Moving average (decay) of the standard deviation of the gap; at first that itself."""
    return _moved(state, float((chosen - rejected).std(correction=0)), decay, chosen)


def _moved(state: State | None, now: float, decay: float, like: PerPair) -> tuple[State, Scalar]:
    mean = now if state is None else decay * state["mean"] + (1 - decay) * now
    return {"mean": mean}, like.new_tensor(mean)


def usual_pairs(
    chosen: PerPair,
    rejected: PerPair,
    usual: Scalar,
    spread: Scalar,
    pairs: PairIndex,
    row_id: PerRow,
    seed: Scalar,
    *,
    dropped: float = 0.2,
) -> PerPair:
    """1/(share kept) for the pairs that are kept, 0 for a share `dropped` of them.

    Drawn without replacement with probabilities in proportion to exp(-(M - usual)²/(2 spread²)): the largest of log-
    weight plus Gumbel noise. The noise belongs to the pair, so the order of the pairs does not matter.
    """
    likely = -0.5 * ((chosen - rejected - usual) / spread.clamp(min=1e-8)) ** 2
    noise = keyed_uniform(int(seed), row_id[pairs[:, 0]]).to(likely.dtype)
    count = max(1, round((1 - dropped) * len(likely)))
    best = (likely - (-noise.log()).log()).topk(count).indices
    return torch.zeros_like(likely).index_fill(0, best, len(likely) / count)


def gap_beta(
    chosen: PerPair, rejected: PerPair, kept: PerPair, usual: Scalar, *, beta: float = 0.1, strength: float = 0.6
) -> Scalar:
    """max(0.001, β₀ (1 + a (mean M of the kept pairs - usual))), a = strength"""
    gap = (kept * (chosen - rejected)).mean()
    return (beta * (1 + strength * (gap - usual))).clamp(min=1e-3)


def best_and_worst(reward: PerRow, group: PerRow, row_id: PerRow, rows: Rows) -> PairIndex:
    """For each prompt its best and its worst answer (of equals the one with the smaller id); none if all are equal."""
    answers: dict[int, list[tuple[float, int, int]]] = {}
    listed = zip(group.tolist(), reward.tolist(), row_id.tolist(), rows.trained.tolist(), strict=True)
    for place, (prompt, earned, identity, trained) in enumerate(listed):
        if trained:
            answers.setdefault(prompt, []).append((earned, -identity, place))
    ends = [(max(a), min((r, -i, p) for r, i, p in a)) for a in answers.values()]
    chosen = [(best[2], worst[2]) for best, worst in ends if best[0] > worst[0]]
    return torch.tensor(chosen, dtype=torch.long, device=reward.device).reshape(-1, 2)


def second_author(author: PerRow, rows: Rows) -> PerRow:
    """1/(their share) for the trained rows of author 1, 0 for the others: a mean over rows becomes one over those."""
    theirs = (author == 1) & rows.trained
    weight = rows.trained.sum() / theirs.sum().clamp(min=1)
    return torch.where(theirs, weight.to(torch.get_default_dtype()), 0)


def worst_case(loss: PerPair, *, radius: float = 0.1) -> PerPair:
    """n q, q the law of the n pairs with the largest Σ q L whose total variation from uniform is at most `radius`.

    The largest loss gains what the smallest ones lose. Equal losses share.
    """
    n = len(loss)
    order = loss.argsort()
    taken = (radius * n - torch.arange(n, dtype=loss.dtype, device=loss.device)).clamp(0, 1)
    taken[-1] = -taken[:-1].sum()
    weight = torch.ones_like(loss).index_add(0, order, -taken)
    return Groups.of(loss, torch.ones_like(loss, dtype=torch.bool)).mean(weight)
