"""Golden numbers of the methods without a critic: other baselines, other trust regions."""

from __future__ import annotations

from math import exp, log

from tests.harness.numbers import answer
from tests.methods.golden.row import batch
from tests.methods.online.group import LENGTHS, group

A = 1 / (2**0.5 + 1e-6)  # GRPO's advantage of a reward of 1 beside one of -1
RATE = 0.02  # a nat of KL costs that


def moved(reward, *log_ratios, old=-3.0, **values):
    """An answer to prompt 0 whose tokens had log-probs `old` and have moved by these log-ratios."""
    same = {n: [old] * len(log_ratios) for n in ("old_logp", "ref_logp", "rollout_logp")}
    now = [old + x for x in log_ratios]
    return answer(logp=now, **same, reward=reward, group=0, author=0, ended=True, **values)


def weighted(advantages):
    """The mean over the group of -A log π, where every token has log-prob -1."""
    return sum(a * n for a, n in zip(advantages, LENGTHS, strict=True)) / len(LENGTHS)


def gate(ratio, tau):
    return 4 / tau / (1 + exp(-tau * (ratio - 1)))


def gate_slope(ratio, tau):
    """d gate / d log ρ"""
    up = 1 / (1 + exp(-tau * (ratio - 1)))
    return 4 * up * (1 - up) * ratio


def gamma(log_w, k, rate):
    return exp(k * log_w + rate - rate * exp(log_w))


# fmt: off

# ---- groups of four answers: rewards 1, 0, 0, 3 and lengths 2, 4, 1, 3

OPO, GPG, GLOBAL = [-0.1, -1.1, -1.1, 1.9], [0.0, -1.5, -1.5, 3.0], [-0.1 / 1.3, -1.1 / 1.3, -1.1 / 1.3, 1.9 / 1.3]
EQUALS = group((2.0, 2.0), (1, 1), prompt=5)
ALONE = group((7.0,), (2,), prompt=9)

BASELINES = (
    batch("online/opo", answers=[*group(), *ALONE], values={"advantage": [*OPO, 0.0]},
          loss=weighted(OPO) * 4 / 5, logp=[*(-a / 5 for a in OPO), 0.0]),
    batch("online/maxrl", answers=[*group((2.0, 0.0, 0.0, 6.0)), *group((0.0, 0.0), (1, 1), prompt=5)],
          values={"advantage": [0.0, -1.0, -1.0, 2.0, 0.0, 0.0]}, logp=[0.0, 1 / 6, 1 / 6, -2 / 6, 0.0, 0.0]),
    batch("online/maxrl", answers=group((-1.0, 3.0), (1, 1)), values={"advantage": [-1.0, 1.0]},
          note="of rewards of both signs"),
    batch("online/pass_at_k", answers=[*group(), *group((3.0, 3.0, 0.0), (1, 1, 1), prompt=5), *ALONE],
          values={"advantage": [0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0]}, loss=2.0 * 3 / 8,
          logp=[0.0, 0.0, 0.0, -2 / 8, 0.0, 0.0, 0.0, 0.0]),
    batch("online/pass_at_k", answers=[*group((1.0, 0.5), (1, 1)), *group((9.0,), (1,), train=False)],
          values={"advantage": [0.5, 0.0, 0.0]}, note="only trained answers"),
    batch("online/gpg", answers=[*group(), *EQUALS], values={"advantage": [*GPG, 0.0, 0.0]},
          loss=weighted(GPG) * 4 / 12, logp=[*(-a / 12 for a in GPG), 0.0, 0.0]),
    batch("online/reinforce_plus_plus", answers=group(), values={"advantage": GLOBAL}, within=1e-7,
          loss=-weighted(GLOBAL) * 4 / 10, logp=[-a / 10 for a in GLOBAL]),
    batch("online/reinforce_plus_plus", {"kl_weight": 0.1, "whiten.eps": 1.0},
          [answer(logp=[-1.0] * 2, old_logp=[-1.0] * 2, ref_logp=[-3.0, -2.0], rollout_logp=[-1.0] * 2, reward=1.0)],
          values={"token_reward": [[-0.2, 0.9]], "credit": [[0.7, 0.9]], "advantage": [[-0.1 / 1.1, 0.1 / 1.1]]}),
    batch("online/reinforce_plus_plus_baseline", answers=group(), values={"advantage": GLOBAL}, within=1e-7,
          logp=[-a / 10 for a in GLOBAL]),
    batch("online/reinforce_plus_plus_baseline", within=1e-7, note="one scale for all prompts",
          answers=[*group((1.0, 3.0), (1, 1)), *group((10.0, 14.0), (1, 1), prompt=5)],
          values={"advantage": [x / 2.5**0.5 for x in (-1, 1, -2, 2)]}),
    batch("online/reinforce_plus_plus_baseline", {"kl.weight": RATE}, group((1.0,), (1,), ref_logp=-1.5),
          loss=RATE * 0.125, logp=[RATE * 0.5], metrics={"kl": 0.125}),
)

# ---- policies that have moved

UP, DOWN = 0.5, -0.5
P, Q = exp(-0.5), exp(-1.0)  # a likely token
FALL = 0.95  # log-ratio of a token that fell from e^-0.05
BINARY_KL = Q * -0.5 + (1 - Q) * log((1 - Q + 1e-8) / (1 - P + 1e-8))

MOVED = (
    batch("online/cispo", answers=[moved(1.0, UP, 2.0), moved(-1.0, 1.0)], note="no gradient is lost beyond the cap",
          loss=-A / 3 * (exp(UP) * -2.5 + 5 * -1.0 - exp(1) * -2.0),
          logp=[[-A * exp(UP) / 3, -A * 5 / 3], [A * exp(1) / 3]]),
    batch("online/sapo", answers=[moved(1.0, UP, -1.0), moved(-1.0, 0.3)],
          loss=-A / 2 * ((gate(exp(UP), 1) + gate(exp(-1), 1)) / 2 - gate(exp(0.3), 1.05)),
          logp=[[-A / 4 * gate_slope(exp(UP), 1), -A / 4 * gate_slope(exp(-1), 1)],
                [A / 2 * gate_slope(exp(0.3), 1.05)]]),
    batch("online/gmpo", answers=[moved(1.0, UP, -1.0), moved(-1.0, DOWN, 0.9)],
          loss=-A / 2 * (exp((0.4 - 1.0) / 2) - exp((-0.4 + 0.9) / 2)),
          logp=[[0, -A / 4 * exp(-0.3)], [0, A / 4 * exp(0.25)]]),
    batch("online/gmpo", {"low": 0.1, "high": 0.2}, [moved(1.0, UP), moved(-1.0, DOWN)],
          loss=-A / 2 * (exp(0.2) - exp(-0.1)), logp=[0, 0]),
    batch("online/vespo", answers=[moved(1.0, UP, -0.2), moved(-1.0, DOWN)],
          loss=-A / 3 * (gamma(0.3, 2, 3) * (-2.5 - 3.2) - gamma(-0.5, 3, 2) * -3.5),
          logp=[-A / 3 * gamma(0.3, 2, 3), A / 3 * gamma(-0.5, 3, 2)]),
    batch("online/vespo", answers=[moved(1.0, 40.0), moved(-1.0, -40.0)], note="both ends of the weight vanish",
          logp=[0, 0.0], within=1e-12),
    batch("online/luspo", {"low": 0.2, "high": 0.2, "minibatches": 1},
          [moved(1.0, 0.2, -0.1, 0.3, 0.0), moved(-1.0, 0.1)], metrics={"clip_ratio/region_mean": 0},
          loss=-A / 2 * (4 - 1) * exp(0.1), logp=[-A / 2 * exp(0.1), A / 2 * exp(0.1)]),
    # From e^-1 to e^-0.5 the probability rises by 0.239; from e^-3 to e^-2.5 by 0.032 only.
    batch("online/dppo", answers=[moved(1.0, UP, old=-1.0), moved(1.0, UP), moved(-2.0, UP, old=-1.0)],
          metrics={"trust_region/inside": 2 / 3}, within=1e-6,
          logp=[0, -1 / 3**0.5 * exp(UP) / 3, 2 / 3**0.5 * exp(UP) / 3]),
    batch("online/dppo", answers=[moved(1.0, -1.0, old=-0.3), moved(-1.0, -1.0, old=-0.3)], note="falling",
          logp=[-A / 2 * exp(-1), 0]),
    batch("online/dppo", {"threshold": 0.0}, [moved(1.0, 4.0, old=-7.0), moved(-1.0, 4.0, old=-7.0)],
          logp=[0, A / 2 * 20], note="the cap"),
    *(batch("online/dppo", {"divergence": "kl", "threshold": BINARY_KL + gap},
            [moved(1.0, UP, old=-1.0), moved(-1.0, UP, old=-1.0)], note=f"KL, {gap}",
            logp=[0 if gap < 0 else -A / 2 * exp(UP), A / 2 * exp(UP)])
      for gap in (1e-6, -1e-6)),
    *(batch("online/dual_clip_ppo", answers=[moved(1.0, log(up), **zero), moved(-1.0, log(down), **zero)],
            metrics={"loss/policy": (-min(up, 1.2) + held) / 2}, within=1e-7, note=f"{down}",
            logp=[0 if up > 1.2 else -up / 2, slope / 2])
      for zero in [{"value": [0.0], "old_value": [0.0]}]
      for up, down, held, slope in [(1.5, 5.0, 3.0, 0), (1.1, 2.0, 2.0, 2.0), (1.0, 0.5, 0.8, 0)]),
)

# fmt: on

CRITIC_FREE = (*BASELINES, *MOVED)
