"""Golden numbers of the methods without a critic: other baselines, other trust regions."""

from __future__ import annotations

from math import exp, log, nan

from posttrain.records import Numbers
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


def step_wise(*rewards, prompt=0):
    """An answer on policy with a reward at each token where a step ends."""
    same = dict.fromkeys(("logp", "old_logp", "ref_logp", "rollout_logp"), [-1.0] * len(rewards))
    whole = {"reward": sum(rewards), "group": prompt, "author": 0, "ended": True}
    return answer(**same, **whole, dense_reward=list(rewards))


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


def several(*rewards, weights=(1.0, 3.0)):
    """Four answers to two prompts with two rewards each."""
    on_policy = group((0.0,) * 4, (1, 1, 1, 1))
    return [
        answer(**a.values | {"named_rewards": Numbers(r), "reward_weights": Numbers(weights), "group": i // 2})
        for i, (a, r) in enumerate(zip(on_policy, rewards, strict=True))
    ]


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
    # Standardised: ±0.7071 each; weights 1 and 3 give 4, -4, -2, 2 times that, of deviation 0.7071 sqrt(40/3).
    batch("online/gdpo", within=1e-5, answers=several((9.0, 1.0), (1.0, 0.0), (5.0, 0.0), (4.0, 1.0)),
          values={"advantage": [x / (40 / 3) ** 0.5 for x in (4, -4, -2, 2)]}, logp=[-(40 / 3) ** -0.5, *[None] * 3]),
    batch("online/gdpo", {"ddof": 0, "eps": 1.0}, several((9.0, 0.0), (1.0, 0.0), (3.0, 3.0), (3.0, 3.0)), within=1e-6,
          values={"advantage": [0.8 / (1 + 0.8 / 2**0.5), -0.8 / (1 + 0.8 / 2**0.5), 0.0, 0.0]}),
    batch("online/gdpo", within=1e-5, note="who abstains says nothing",
          answers=several((1.0, 5.0), (0.0, nan), (nan, 1.0), (nan, 0.0)), values={"advantage": [
              x / (20 / 3) ** 0.5 for x in (1, -1, 3, -3)]}),
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

# ---- some tokens more than others

# The mean log-prob is -3. Covariances, over A: 2.9, -3, -2.8, 2.7.
TOGETHER = [moved(1.0, 0, -5.9, old=-0.1), moved(-1.0, 0, -5.5, old=-0.2)]
SPREAD = [moved(1.0, 0.0, -1.0, entropy=[0.1, 2.0]), moved(-1.0, 0.0, 0.0, entropy=[1.0, 0.4])]


def sure(nats, **values):
    """Two answers whose tokens were sampled with log-prob -nats."""
    same = {n: [-nats] for n in ("logp", "old_logp", "ref_logp", "rollout_logp")}
    return [answer(**same, **values, entropy=[0.3], reward=r, group=0, author=0, ended=True) for r in (1.0, -1.0)]


TOKENS = (
    batch("online/clip_cov", {"share": 0.5}, TOGETHER, loss=-A / 4 * (exp(-5.9) - 1.0),
          logp=[[0, -A / 4 * exp(-5.9)], [A / 4, 0]]),
    batch("online/clip_cov", {"share": 0.5, "lowest": 2.0}, TOGETHER,
          logp=[[0, -A / 4 * exp(-5.9)], [A / 4, 0]], note="the second is clipped anyway"),
    batch("online/clip_cov", {"share": 0.5, "highest": 2.0}, TOGETHER,
          logp=[[-A / 4, -A / 4 * exp(-5.9)], [A / 4, 0]]),
    batch("online/kl_cov", {"share": 0.25, "minibatches": 1, "kl.weight": 3.0},
          [moved(1.0, 0.5, -6.4, old=-0.6), moved(-1.0, 0.4, -5.0, old=-0.6)], note="the likeliest good token",
          loss=-A / 4 * (exp(0.5) + exp(-6.4) - exp(0.4) - exp(-5.0)) + 3 * 0.5 / 4,
          logp=[[-A / 4 * exp(0.5) + 3 / 4, -A / 4 * exp(-6.4)], [A / 4 * exp(0.4), A / 4 * exp(-5.0)]]),
    batch("online/kl_cov", {"share": 0.5, "minibatches": 1},
          [moved(1.0, 0.5, -6.4, old=-0.6), moved(-1.0, 0.4, -5.0, old=-0.6)], note="and the unlikeliest bad one",
          metrics={"loss/kl": (0.5 + 5.0) / 4},
          logp=[[-A / 4 * exp(0.5) + 1 / 4, None], [None, A / 4 * exp(-5) - 1 / 4]]),
    batch("online/top_entropy", {"share": 0.5}, SPREAD, max_tokens=100, loss=-A / 4 * (exp(-1.0) - 1),
          logp=[[0, -A / 4 * exp(-1.0)], [A / 4, 0]]),
    batch("online/top_entropy", {"share": 0.25}, SPREAD, max_tokens=100, logp=[[0, -A / 4 * exp(-1.0)], [0, 0]]),
    batch("online/top_entropy", {"share": 1.0}, SPREAD, max_tokens=100,
          logp=[[-A / 4, -A / 4 * exp(-1.0)], [A / 4, A / 4]]),
    *(batch("online/skywork_or1", answers=sure(nats), states={"entropy_weight": {"weight": before}},
            after={"entropy_weight": {"weight": after}}, note=f"H = {nats}, c = {before}", within=1e-12,
            values={"entropy_weight": now}, loss=-now * 0.3, gradients={"entropy": [-now / 2, -now / 2]})
      for nats, before, now, after in [(0.1, 0.01, 0.01, 0.015), (0.1, 0.998, 0.998, 1.0), (0.3, 0.01, 0.0, 0.005),
                                       (0.3, 0.002, 0.0, 0.0)]),
    batch("online/skywork_or1", {"start": 0.5}, sure(0.1), values={"entropy_weight": 0.5},
          after={"entropy_weight": {"weight": 0.505}}),
    batch("online/skywork_or1", answers=group((1.0,), (1,), train=False), values={"entropy_weight": 0.0},
          states={"entropy_weight": {"weight": 0.2}}, after={"entropy_weight": {"weight": 0.2}}, within=0,
          note="answers that are not trained on say nothing"),
    # Rewards of steps 1, 3, -1 and 1: mean 1, deviation sqrt(8/3).
    batch("online/pf_ppo", {"lam": 0.0, "kl_weight": 0.0}, group((3.0, -1.0), (1, 1)), within=1e-7,
          values={"credit": [3.0, -1.0], "advantage": [1.0, -1.0]}, logp=[-1 / 2, 1 / 2]),
    batch("online/grpo_process", within=1e-6,
          answers=[step_wise(0.0, 1.0, 0.0, 3.0), step_wise(-1.0, 0.0, 1.0), step_wise(5.0, prompt=7)],
          values={"advantage": [[1.224745] * 4, [-1.224745, 0.0, 0.0], [0.0]]},
          logp=[-1.224745 / 4 / 3, [1.224745 / 3 / 3, 0.0, 0.0], 0.0]),
    batch("online/grpo_process", {"ddof": 0, "eps": 1.0}, [step_wise(1.0, -1.0), step_wise(0.0, 3.0)],
          values={"advantage": [[-2 / (1 + 1.632993)] * 2, [2 / (1 + 1.632993)] * 2]}, within=1e-6),
)

# fmt: on

CRITIC_FREE = (*BASELINES, *MOVED, *TOKENS)
