"""Rewards behind constraints: judges say which answers may be learned from, the reward says how much."""

from __future__ import annotations

import torch

from posttrain.core.maths.groups import Groups
from posttrain.core.parts import ComparedGroup, PairIndex, PerRow, PerToken
from posttrain.core.rows import Rows


def harmless(cost: PerRow) -> PerRow:
    """1 where the cost is at most 0, or nobody named one; else 0."""
    return (cost.isnan() | (cost <= 0)).to(cost.dtype)


def passes(verdict: PerRow, *, above: float = 0.5) -> PerRow:
    """1 where a judge finds the constraint satisfied, or has nothing to say about the answer; else 0.

    Settings:
        above: verdict from which the constraint is satisfied; any number between those of a yes and a no, usually 0.5.
    """
    return (verdict.isnan() | (verdict >= above)).to(verdict.dtype)


def both(one: PerRow, two: PerRow) -> PerRow:
    """1 where two constraints are satisfied, else 0."""
    return one * two


def calibrated(reward: PerRow, group: PerRow, author: PerRow) -> PerRow:
    """Probability of being better than the reference's answers (author 1) to the same prompt.

    σ(r(x, y) - r(x, ȳ))
    """
    return torch.sigmoid(reward - Groups.of(group, author == 1).mean(reward))


def capped(
    calibrated: PerRow, allowed: PerRow, old_logp: PerToken, ref_logp: PerToken, rows: Rows, *, kl_max: float = 10.0
) -> PerRow:
    """Calibrated reward of an answer that violates nothing, less the farther it is from the reference.

        max(1 - log(π_old(y)/π_ref(y)) / KL_max, 0) R 1[no judge objects]

    Settings:
        kl_max: KL_max, log-ratio of the whole answer from which it earns nothing; above 0, in nats, .inf is no cap.
    """
    return (1 - rows.sum(old_logp - ref_logp) / kl_max).clamp(min=0) * calibrated * allowed


def minus_mean(worth: PerRow, rows: Rows) -> PerToken:
    """What an answer is worth less the mean of the batch, at every token of the answer."""
    return rows.spread(worth - worth[rows.counted].mean())


def best_allowed(
    calibrated: PerRow,
    allowed: PerRow,
    group: PerRow,
    author: PerRow,
    old_logp: PerToken,
    ref_logp: PerToken,
    row_id: PerRow,
    rows: Rows,
    *,
    kl_max: float = 10.0,
) -> PerRow:
    """Weight of the one answer to each prompt that is imitated: n/m R for the m chosen of n rows, 0 for the others.

    The best of the policy's answers that violate nothing and whose log-ratio is at most KL_max; where there is none,
    the reference's answer (author 1) if it violates nothing; else the prompt has none. Of equals the smaller id.

    Settings:
        kl_max: KL_max, log-ratio up to which an answer may be imitated; above 0, in nats, .inf is no cap.
    """
    near = rows.sum(old_logp - ref_logp) <= kl_max
    may = rows.trained & (allowed > 0) & (near | (author == 1))
    first: dict[int, tuple[bool, float, int, int]] = {}
    columns = (x.tolist() for x in (group, author == 0, calibrated, row_id, may))
    for index, (prompt, own, value, identity, counts) in enumerate(zip(*columns, strict=True)):
        if counts:
            candidate = (own, value, -identity, index)
            first[prompt] = max(first.get(prompt, candidate), candidate)
    chosen = torch.zeros_like(rows.trained)
    chosen[[place for *_, place in first.values()]] = True
    return torch.where(chosen, calibrated * (rows.trained.sum() / max(len(first), 1)), 0)


def allowed_and_violating(
    reward: PerRow, allowed: PerRow, group: ComparedGroup, row_id: PerRow, rows: Rows
) -> PairIndex:
    """Pairs of the best answer that violates nothing and the worst one that violates something [N, 2].

    Where none violates anything, the worst of all; where all do, or all are equal, the prompt gives no pair.
    """
    answers: dict[int, list[tuple[bool, float, int, int]]] = {}
    columns = (x.tolist() for x in (group, allowed > 0, reward, row_id, rows.counted))
    for index, (prompt, fine, value, identity, trained) in enumerate(zip(*columns, strict=True)):
        if trained:
            answers.setdefault(prompt, []).append((fine, value, -identity, index))
    ends = [(max(a), min((fine, r, -i, k) for fine, r, i, k in a)) for a in answers.values()]
    found = [(best[3], worst[3]) for best, worst in ends if best[0] and best[:2] > worst[:2]]
    return torch.tensor(found, dtype=torch.long, device=reward.device).reshape(-1, 2)
