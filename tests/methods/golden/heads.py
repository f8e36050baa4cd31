"""Golden numbers of the reward models whose heads give several numbers."""

from __future__ import annotations

from math import exp, log, nan
from typing import Any

from posttrain.records import Numbers
from tests.harness.numbers import answer
from tests.methods.golden.row import batch


def rated(scores: tuple[float, ...], *attributes: float, **more: float):
    return answer(scores=scores, attributes=Numbers(attributes), **more)


def apart(gap: float, constant: float, tie: float):
    """A pair with a gap of its scores; the number that is learned; whether it is a tie."""
    return [answer(score=s, constant=constant, tie=tie) for s in (0.3 + gap, 0.3)]


def sigma(x: float) -> float:
    return 1 / (1 + exp(-x))


def threshold(gap: float, constant: float, tie: float) -> tuple[float, float, float]:
    """Rao and Kupper's loss at θ_0 = 1.5 and v = 4, its slope in the gap and in the constant."""
    theta = 1 + 0.5 * exp(4 * constant)
    won, lost = (1 / (1 + theta * exp(-s * gap)) for s in (1, -1))
    slope = 4 * (theta - 1) / theta  # of log θ in the constant
    if not tie:
        return -log(won), won - 1, slope * (1 - won)
    return -log(1 - won - lost), won - lost, slope * (2 - won - lost - 2 * theta**2 / (theta**2 - 1))


def three_way(gap: float, constant: float, tie: float) -> tuple[float, float, float]:
    """Davidson's loss at ν_0 = 0.5 and v = 4, its slope in the gap and in the constant."""
    weights = exp(gap / 2), exp(-gap / 2), 0.5 * exp(4 * constant)
    won, lost, tied = (w / sum(weights) for w in weights)
    return -log(tied if tie else won), (won - lost - (0 if tie else 1)) / 2, 4 * (tied - (1 if tie else 0))


def likelihood(path, start, formula, gap, constant, tie):
    loss, slope, learned = formula(gap, constant, tie)
    return batch(
        path,
        {"start": start, "speed": 4.0},
        apart(gap, constant, tie),
        pairs=[(0, 1)],
        loss=loss,
        gradients={"score": [slope, -slope], "constant": [learned, 0]},
        metrics={"ties": 4 * constant},
    )


def online(length: int, **values: Any):
    """An answer with a KL of 0.2 to the reference at every token."""
    same = {n: [-1.0] * length for n in ("logp", "old_logp", "rollout_logp")}
    return answer(ref_logp=[-1.2] * length, value=[0.0] * length, old_value=[0.0] * length, **same, **values)


def embedded(*vectors: tuple[float, ...]):
    return [answer(scores=v) for v in vectors]


# fmt: off
# A row reads as a line of a paper's example.

TIES = tuple(
    likelihood(path, start, formula, gap, constant, tie)
    for path, start, formula in (("reward/learned_ties", 1.5, threshold), ("reward/davidson", 0.5, three_way))
    for gap, constant, tie in ((1.0, 0.0, 0.0), (1.0, 0.1, 1.0), (-0.5, 0.1, 0.0))
)
HEADS = (
    *TIES,
    batch("reward/attributes", answers=[rated((1.0, 2.5), 0.0, 4.0, score=0.7), rated((3.0, 9.0), 2.5, nan, score=0.1)],
          loss=(1 + 2.25 + 0.25) / 2, gradients={"scores": [[1.0, -1.5], [0.5, 0]]},
          metrics={"error": ((1 + 1.5) / 2 + 0.5) / 2, "score": 0.4}),
    # τ = 1/4, 1/2, 3/4; u = -1, -2, -4 of the first attribute and 3, 1, 0.5 of the second
    batch("reward/quantiles", answers=[rated((1.0, 2.0, 4.0, 1.0, 3.0, 3.5), 0.0, 4.0)],
          loss=((0.75 + 1 + 1) + (0.75 + 0.5 + 0.375)) / 3, metrics={"error": (2 + 1) / 2},
          gradients={"scores": [[0.25, 1 / 6, 1 / 12, -1 / 12, -1 / 6, -0.25]]}),
    batch("reward/quantiles", answers=[rated((1.0, 2.0, 1.0, 3.0), 1.5, nan)], loss=(0.5 / 3 + 0.5 / 3) / 2,
          gradients={"scores": [[-1 / 6, 1 / 6, 0, 0]]}, metrics={"error": 0.5}, note="a missing label"),
    batch("reward/gaussian", {"floor": 1.0}, [rated((1.0, 0.5, 2.0, -0.25), 3.0, 2.5)],
          loss=2 / (exp(1) + 1) + 0.5 * log(exp(1) + 1) + 0.125 / (exp(-0.5) + 1) + 0.5 * log(exp(-0.5) + 1),
          gradients={"scores": [[
              -2 / (exp(1) + 1), exp(1) / (exp(1) + 1) * (1 - 4 / (exp(1) + 1)),
              -0.5 / (exp(-0.5) + 1), exp(-0.5) / (exp(-0.5) + 1) * (1 - 0.25 / (exp(-0.5) + 1))]]},
          metrics={"error": (2 + 0.5) / 2}),
    batch("reward/gaussian", {"floor": 1.0}, [rated((1.0, 0.5, 2.0, -0.25), 3.0, nan)],
          loss=2 / (exp(1) + 1) + 0.5 * log(exp(1) + 1), note="a missing label",
          gradients={"scores": [[-2 / (exp(1) + 1), exp(1) / (exp(1) + 1) * (1 - 4 / (exp(1) + 1)), 0, 0]]}),
    # In two planes: 0.3 * 0.2 - 0.4 * 1 and 1 * 2 - (-1) * 0.5.
    batch("reward/general_preference", {"unit": False, "tau": 2.0},
          embedded((0.3, 0.4, 1.0, -1.0), (1.0, 0.2, 0.5, 2.0)),
          pairs=[(0, 1)], loss=log(1 + exp(-2.16 / 2)), metrics={"accuracy": 1, "margin": 2.16},
          gradients={"scores": [[-sigma(-1.08) / 2 * x for x in (0.2, -1.0, 2.0, -0.5)],
                                [-sigma(-1.08) / 2 * x for x in (-0.4, 0.3, 1.0, 1.0)]]}),
    batch("reward/general_preference", {}, embedded((0.0, 2.0), (3.0, 3.0)), pairs=[(0, 1)], within=1e-7,
          loss=log(1 + exp(10 / 2**0.5)), metrics={"accuracy": 0, "margin": -(0.5**0.5)}, note="of length 1"),
    batch("reward/general_preference", {}, embedded((1.0, 1.0), (1.0, 1.0)), pairs=[(0, 1)], loss=log(2),
          metrics={"accuracy": 0.5, "margin": 0}, note="against itself"),
    # s(a, b) = -1, s(a, c) = 1, s(b, c) = 2, and an answer that is alone.
    batch("online/group_win_rate", {"unit": False, "tau": 2.0},
          [online(1, reward_scores=Numbers(v), group=g) for v, g in (((1.0, 0.0), 0), ((0.0, -1.0), 0), ((2.0, 1.0), 0),
                                                                     ((5.0, 2.0), 1))],
          values={"reward": [(sigma(-0.5) + sigma(0.5)) / 2, (sigma(0.5) + sigma(1.0)) / 2,
                             (sigma(-0.5) + sigma(-1.0)) / 2, 0.5]}),
    batch("online/group_win_rate",
          answers=[online(1, reward_scores=Numbers(v), group=0) for v in ((0.0, 2.0), (3.0, 3.0))],
          values={"reward": [sigma(-10 / 2**0.5), sigma(10 / 2**0.5)]}, within=1e-6, note="of length 1"),
    batch("online/red", answers=[online(3, prefix_reward=[0.2, 0.5, 1.1], reward=1.1)],
          values={"token_reward": [[0.19, 0.29, 0.59]]}),
    batch("online/red", {"share": 0.25, "kl_weight": 0.1}, [online(2, prefix_reward=[-0.4, 1.0], reward=1.0)],
          values={"token_reward": [[-0.12, 0.35 + 0.75 - 0.02]]}),
    batch("online/attention_credit", answers=[online(3, reward_attention=[0.1, 0.3, 0.1], reward=2.0)],
          values={"token_reward": [[0.31, 0.95, 0.71]]}),
    batch("online/attention_credit", {"share": 0.5}, [online(2, reward_attention=[0.0, 0.0], reward=2.0)],
          values={"token_reward": [[0.49, 1.49]]}, note="nothing is looked at"),
    batch("reward/process", answers=[answer(prefix_score=[0.5, -1.0, 2.0], step_label=[1.0, 0.25, 0.0])],
          loss=(log(1 + exp(-0.5)) + log(1 + exp(-1)) + 0.25 + log(1 + exp(2))) / 3, metrics={"accuracy": 2 / 3},
          gradients={"prefix_score": [[(sigma(0.5) - 1) / 3, (sigma(-1) - 0.25) / 3, sigma(2) / 3]]}),
    batch("reward/outcome",
          answers=[answer(score=0.5, label=1.0), answer(score=-1.0, label=0.0), answer(score=2.0, label=0.0)],
          loss=(log(1 + exp(-0.5)) + log(1 + exp(-1)) + log(1 + exp(2))) / 3, metrics={"accuracy": 2 / 3, "score": 0.5},
          gradients={"score": [(sigma(0.5) - 1) / 3, sigma(-1) / 3, sigma(2) / 3]}),
)
