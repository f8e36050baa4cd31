"""Pairs of an optimiser step, or of the answers to a prompt: which count, how much, and at which β."""

from __future__ import annotations

from typing import Literal

import torch

from posttrain.core.batch import keyed_uniform
from posttrain.core.maths.groups import Groups
from posttrain.core.parts import ComparedGroup, PairIndex, PerPair, PerRow, Scalar, State
from posttrain.core.rows import Rows


def mean_gap_ema(
    state: State | None, chosen: PerPair, rejected: PerPair, *, decay: float = 0.9
) -> tuple[State, Scalar]:
    """Moving average of the mean gap M = chosen - rejected. It includes the present step.

    Settings:
        decay: share of the moving average that a new batch leaves unchanged; 0 to 1, usually 0.9 to 0.99.
    """
    return _ema(state, float((chosen - rejected).mean()), decay, chosen)


def midpoint_ema(
    state: State | None, chosen: PerPair, rejected: PerPair, *, decay: float = 0.9
) -> tuple[State, Scalar]:
    """Moving average of the mean of (chosen + rejected)/2. It includes the present step.

    Settings:
        decay: share of the moving average that a new batch leaves unchanged; 0 to 1, usually 0.9 to 0.99.
    """
    return _ema(state, float((chosen + rejected).mean() / 2), decay, chosen)


def gap_std_ema(state: State | None, chosen: PerPair, rejected: PerPair, *, decay: float = 0.9) -> tuple[State, Scalar]:
    """Moving average of the standard deviation of the gap M = chosen - rejected. It includes the present step.

    Settings:
        decay: share of the moving average that a new batch leaves unchanged; 0 to 1, usually 0.9 to 0.99.
    """
    return _ema(state, float((chosen - rejected).std(correction=0)), decay, chosen)


def _ema(state: State | None, value: float, decay: float, like: PerPair) -> tuple[State, Scalar]:
    mean = value if state is None else decay * state["mean"] + (1 - decay) * value
    return {"mean": mean}, like.new_tensor(mean)


def kept_pairs(
    chosen: PerPair,
    rejected: PerPair,
    mean_gap: Scalar,
    spread: Scalar,
    pairs: PairIndex,
    row_id: PerRow,
    seed: Scalar,
    *,
    dropped: float = 0.2,
) -> PerPair:
    """1/(share kept) for the pairs that are kept, 0 for those left out as unusually close or far apart.

    Pairs are drawn without replacement with probabilities in proportion to exp(-(M - mean_gap)²/(2 spread²)): the
    log-weights get Gumbel noise and the largest are taken. The noise belongs to the pair, so the order of the pairs
    does not matter.

    Settings:
        dropped: share of the pairs that is left out; 0 up to but not including 1, 0.2 in the paper.
    """
    log_weight = -0.5 * ((chosen - rejected - mean_gap) / spread.clamp(min=1e-8)) ** 2
    noise = keyed_uniform(int(seed), row_id[pairs[:, 0]]).to(log_weight.dtype)
    count = max(1, round((1 - dropped) * len(log_weight)))
    drawn = (log_weight - (-noise.log()).log()).topk(count).indices
    return torch.zeros_like(log_weight).index_fill(0, drawn, len(log_weight) / count)


def gap_beta(
    chosen: PerPair, rejected: PerPair, kept: PerPair, mean_gap: Scalar, *, beta: float = 0.1, strength: float = 0.6
) -> Scalar:
    """β of an optimiser step, from the mean gap M of the pairs that are kept.

        max(0.001, β₀ (1 + a (mean M - mean_gap)))

    Settings:
        beta: β₀, pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        strength: a, how strongly β follows the gap; 0 (constant β) or more, 0.6 in the paper.
    """
    gap = (kept * (chosen - rejected)).mean()
    return (beta * (1 + strength * (gap - mean_gap))).clamp(min=1e-3)


def best_and_worst(reward: PerRow, group: ComparedGroup, row_id: PerRow, rows: Rows) -> PairIndex:
    """Pairs of the best and the worst answer to each prompt [N, 2]; of equals the one with the smaller id.

    A prompt whose answers all have the same reward gives no pair.
    """
    answers: dict[int, list[tuple[float, int, int]]] = {}
    columns = zip(group.tolist(), reward.tolist(), row_id.tolist(), rows.counted.tolist(), strict=True)
    for index, (prompt, value, identity, trained) in enumerate(columns):
        if trained:
            answers.setdefault(prompt, []).append((value, -identity, index))
    ends = [(max(a), min((r, -i, k) for r, i, k in a)) for a in answers.values()]
    chosen = [(best[2], worst[2]) for best, worst in ends if best[0] > worst[0]]
    return torch.tensor(chosen, dtype=torch.long, device=reward.device).reshape(-1, 2)


def best_against_other_author(
    reward: PerRow, author: PerRow, group: ComparedGroup, row_id: PerRow, rows: Rows
) -> PairIndex:
    """Pairs of two authors' answers to each prompt [N, 2]: those whose rewards are farthest apart.

    Of equals the answer with the smaller id. A prompt where all of an author's answers are as good as the others' gives
    no pair.
    """
    answers: dict[int, list[tuple[float, int, int, int]]] = {}
    columns = (x.tolist() for x in (group, reward, row_id, author, rows.counted))
    for index, (prompt, value, identity, who, trained) in enumerate(zip(*columns, strict=True)):
        if trained:
            answers.setdefault(prompt, []).append((value, identity, index, who))
    widest = []
    for own in answers.values():
        apart = [(a[0] - b[0], -a[1], -b[1], a[2], b[2]) for a in own for b in own if a[3] != b[3] and a[0] > b[0]]
        widest += [max(apart)[3:]] if apart else []
    return torch.tensor(widest, dtype=torch.long, device=reward.device).reshape(-1, 2)


def second_author(author: PerRow, rows: Rows) -> PerRow:
    """Weight of a row for a mean over the rows of author 1 alone: 1/(their share), and 0 for the others."""
    second = (author == 1) & rows.trained
    weight = rows.trained.sum() / second.sum().clamp(min=1)
    return torch.where(second, weight.to(torch.get_default_dtype()), 0)


def length_weight(rows: Rows, pairs: PairIndex, *, over: Literal["answers", "tokens"] = "answers") -> PerPair:
    """Weight of a pair whose value is a mean over the tokens of its preferred answer: [N].

        1  or  |y_w| / mean |y_w|

    Settings:
        over: name of what counts alike: answers, or the tokens of all preferred answers of the step.
    """
    lengths = rows.length()[pairs[:, 0]].to(torch.get_default_dtype())
    return torch.ones_like(lengths) if over == "answers" else lengths / lengths.mean().clamp(min=1)


def worst_case(loss: PerPair, *, radius: float = 0.1) -> PerPair:
    """Weights n q of the pairs under the worst distribution q within a total variation of ρ from the uniform one.

        q = argmax Σ_i q_i L_i,    TV(q, 1/n) <= ρ

    The largest loss gains the weight that the smallest ones lose. Equal losses get equal weights.

    Settings:
        radius: ρ, share of the weight that may move; 0 (plain mean) to 1 (the worst pair), 0.1 to 0.8 in the paper.
    """
    n = len(loss)
    order = loss.argsort()
    lost = (radius * n - torch.arange(n, dtype=loss.dtype, device=loss.device)).clamp(0, 1)
    lost[-1] = -lost[:-1].sum()
    weight = torch.ones_like(loss).index_add(0, order, -lost)
    return Groups.of(loss, torch.ones_like(loss, dtype=torch.bool)).mean(weight)
