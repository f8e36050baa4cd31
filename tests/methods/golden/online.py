"""Golden numbers of the methods on sampled answers."""

from __future__ import annotations

from math import exp

from tests.harness.numbers import answer
from tests.methods.golden.row import batch
from tests.methods.online.group import LENGTHS, group
from tests.methods.preference.pair import CHOSEN, REJECTED

DPO = 0.61634377  # -log σ(0.16), of the pair of tests/methods/preference/pair.py
WRONG = 0.46008512  # σ(-0.16)


def scored(a, reward, *, prompt=0, author=0, train=True):
    """An answer of the pair as one that was sampled."""
    return answer(train, **a.values, group=prompt, author=author, rollout_logp=[0.0] * a.length, reward=reward)


def three_tokens(reward=1.0, values=(0.5, 0.4, 0.3)):
    """One answer on the reference, with the critic's values."""
    same = {n: [-1.0] * 3 for n in ("logp", "old_logp", "ref_logp", "rollout_logp")}
    return [answer(old_value=list(values), value=list(values), reward=reward, **same)]


def costly(*earned, ref_logp=-1.0, value=0.0, cost_value=0.0, train=True):
    """Answers of one token with (reward, cost), and what the critics expect."""
    same = {"logp": [-1.0], "old_logp": [-1.0], "rollout_logp": [-1.0], "ref_logp": [ref_logp]}
    values = dict.fromkeys(("value", "old_value"), [value]) | dict.fromkeys(
        ("cost_value", "old_cost_value"), [cost_value]
    )
    return [answer(train, reward=r, cost=c, **same, **values) for r, c in earned]


def fallen(kl):
    """Two answers of one token, with rewards 1 and 0, whose log-prob fell by `kl` since they were sampled."""
    same = {"ref_logp": [-1.0], "rollout_logp": [-1.0], "value": [0.0], "old_value": [0.0]}
    return [answer(logp=[-1.0 - kl], old_logp=[-1.0], reward=r, **same) for r in (1.0, 0.0)]


def apart(**values):
    """One answer of one token whose log-prob is -1 and whose reference says -1.5."""
    return answer(logp=[-1.0], old_logp=[-1.0], ref_logp=[-1.5], rollout_logp=[-1.2], **values)


def weighted(advantages):
    """The mean over the group of -A log π, where every token has log-prob -1."""
    return sum(a * n for a, n in zip(advantages, LENGTHS, strict=True)) / len(LENGTHS)


# fmt: off
# A row reads as a line of a paper's example.

# ---- groups of four answers: rewards 1, 0, 0, 3 and lengths 2, 4, 1, 3

STANDARD = [0.0, -0.707107, -0.707107, 1.414214]
DPG = [exp(x) for x in (0.5 - 1, 0 - 0.5, 0.25 - 1.5)]  # exp(r/β) π_ref/π, β = 2
DPG_ALONE = [exp(x) for x in (0.5, 0, 0.25)]
WORTH = [1.5, 2.5, -0.4, 2.0]  # 2 + 1 - 1.5, 4 - 1.5, -0.1 (3 + 1), 3 - 0.1 (9 + 1)
RELATIVE = [x - (sum(WORTH) - x) / 3 for x in WORTH]

GROUPS = (
    batch("online/grpo", answers=group(), values={"advantage": STANDARD}, within=2e-6,
          logp=[-a / n / 4 for a, n in zip(STANDARD, LENGTHS, strict=True)]),
    batch("online/grpo", {"ddof": 0}, group(lengths=(1, 1, 1, 1)), within=2e-6,
          values={"advantage": [0.0, -0.816497, -0.816497, 1.632993]}),
    batch("online/grpo", {"eps": 1.0}, group(lengths=(1, 1, 1, 1)), within=1e-6,
          values={"advantage": [0.0, -0.414214, -0.414214, 0.828427]}),
    batch("online/grpo", answers=[apart(entropy=[0.7], reward=1.0, group=0)], loss=0.04 * 0.10653066,
          logp=[0.04 * (1 - exp(-0.5))],
          metrics={"loss/kl": 0.10653066, "kl": 0.10653066, "entropy": 0.7, "sampling/logp_difference": 0.2}),
    # Beyond e^20 the exponential goes on along its tangent, and still pulls the token back to the reference.
    batch("online/grpo", answers=group([1.0], [1], logp=-31.0, old_logp=-31.0, ref_logp=-1.0),
          metrics={"kl": 11 * exp(20) - 31}, logp=[0.04 * (1 - exp(20))]),
    batch("online/dr_grpo", answers=group(), max_tokens=8, loss=weighted([0, 1, 1, -2]) / 8,
          metrics={"loss/policy": weighted([0, 1, 1, -2])}, logp=[0.0, 1 / 32, 1 / 32, -2 / 32],
          values={"advantage": [0.0, -1.0, -1.0, 2.0], "per_token": 1 / 8}),
    # Of 100 tokens the last 20 cost up to 1: rewards 0, -0.25 and -1.
    batch("online/dapo", answers=group([0.0] * 3, [70, 85, 100]), max_tokens=100, within=3e-6,
          values={"advantage": [0.800641, 0.320256, -1.120897]}),
    batch("online/dapo", answers=group(), max_tokens=100, within=1e-6, note="one mean over all tokens",
          loss=-weighted(STANDARD) * 4 / sum(LENGTHS), logp=[-a / sum(LENGTHS) for a in STANDARD]),
    batch("online/rloo", answers=group(), values={"advantage": [0.0, -4 / 3, -4 / 3, 8 / 3]},
          logp=[0.0, 1 / 3, 1 / 3, -2 / 3]),
    batch("online/rloo", {"kl_weight": 0.1},
          [answer(logp=[-1.0, -1.0], old_logp=[-1.0, -1.0], ref_logp=[-3.0, -2.0], reward=1.0, group=0),
           answer(logp=[-1.0], old_logp=[-1.0], ref_logp=[-0.5], reward=0.0, group=0)],
          values={"advantage": [(1 - 0.1 * 3) - (0 + 0.1 * 0.5), (0 + 0.1 * 0.5) - (1 - 0.1 * 3)]}),
    # Rewards 1, 0, 0, 3 plus the lengths 2, 4, 1, 3, since every token has log-prob -1: 3, 4, 1, 6.
    batch("online/pm_rlhf", answers=group(), values={"advantage": [3 - 11 / 3, 4 - 10 / 3, 1 - 13 / 3, 6 - 8 / 3]},
          logp=[None, None, None, -(6 - 8 / 3) / 4]),
    batch("online/pm_rlhf", {"entropy_weight": 0.5}, group(),
          values={"advantage": [2 - 7 / 3, 2 - 7 / 3, 0.5 - 8.5 / 3, 4.5 - 4.5 / 3]}),
    # Reference log-probs of -2 a token are natural, of -4 not.
    batch("online/conditional_pm_rlhf", {"kl_weight": 0.1, "log_epsilon": -0.5},
          [*group(ref_logp=-2.0)[:2], *group(ref_logp=-4.0)[2:]], values={"advantage": RELATIVE},
          logp=[None, -RELATIVE[1] / 4, None, None]),
    batch("online/dpg", {"beta": 2.0}, group((1.0, 0.0, 0.5), (2, 1, 3), ref_logp=-1.5),
          values={"advantage": [3 * w / sum(DPG) - 1 for w in DPG]},
          logp=[-(3 * DPG[0] / sum(DPG) - 1) / 3, None, None]),
    batch("online/dpg", {"beta": 2.0}, [*group((1.0, 0.0, 0.5), (2, 1, 3)), *group((9.0, 9.0), (1, 1), prompt=5)],
          values={"advantage": [*(3 * w / sum(DPG_ALONE) - 1 for w in DPG_ALONE), 0.0, 0.0]},
          note="prompts do not mix"),
)

# ---- whole answers and a baseline

OPPONENT = answer(train=False, logp=[-1.0], old_logp=[-1.0], ref_logp=[-1.0], reward=0.0, group=0, author=1)
GREEDY = group([0.5], [1], author=1, train=False, ref_logp=-9.0)
STEPWISE = answer(**group([1.0], [2])[0].values | {"ref_logp": [-3.0, -2.0]})

BASELINES = (
    batch("online/reinforce", answers=group(), states={"baseline": {"mean": 0.25, "weight": 1.0}},
          after={"baseline": {"mean": 0.9 * 0.25 + 0.1}}, loss=weighted([0.75, -0.25, -0.25, 2.75]),
          values={"advantage": [0.75, -0.25, -0.25, 2.75]}, logp=[-0.75 / 4, 0.25 / 4, 0.25 / 4, -2.75 / 4]),
    batch("online/reinforce", answers=[answer(logp=[-1.0], rollout_logp=[-1.5], entropy=[0.3], reward=0.0)],
          metrics={"entropy": 0.3, "sampling/logp_difference": 0.5}),
    batch("online/reinforce", answers=group(), values={"baseline": 0}, after={"baseline": {"mean": 1.0}},
          note="the first batch has no baseline, and sets it whole"),
    batch("online/reinforce", {"gamma": 0.5}, [answer(logp=[-1.0] * 3, rollout_logp=[-1.0] * 3, reward=8.0)],
          values={"advantage": [[2, 4, 8]]}),
    batch("online/remax", answers=[*group(), *GREEDY], values={"advantage": [0.5, -0.5, -0.5, 2.5, 0.0]},
          logp=[-0.125, 0.125, 0.125, -0.625, 0.0]),
    batch("online/remax", {"kl_weight": 0.1}, [STEPWISE, *GREEDY], note="the KL is charged token by token",
          values={"token_reward": [[-0.2, 0.9], None], "advantage": [[0.7 - 0.5, 0.9 - 0.5], None]}),
    batch("online/nash_md", {"tau": 0.1},
          [answer(logp=[-1.0] * 2, old_logp=[-1.0] * 2, ref_logp=[-2.0, -1.5], reward=0.8, group=0, author=0),
           OPPONENT],
          loss=0.15 * 2, values={"advantage": [0.8 - 0.5 - 0.1 * 1.5, 0.0]}, logp=[-0.15, 0.0]),
)

# ---- pairs of sampled answers

MIDDLE = answer(logp=[-1.0, -1.0], ref_logp=[-1.2, -1.2])

PAIRS = (
    batch("online/online_dpo", answers=[scored(REJECTED, -1.0), scored(MIDDLE, 0.5), scored(CHOSEN, 2.0)], loss=DPO,
          values={"pairs": [[2, 0]]}, logp=[None, 0, -0.1 * WRONG]),
    batch("online/online_dpo",
          answers=[scored(CHOSEN, 1.0), scored(MIDDLE, 3.0, prompt=1), scored(REJECTED, 0.0),
                   scored(CHOSEN, 3.0, prompt=1)],
          loss=DPO, values={"pairs": [[0, 2]]}, note="prompts do not mix, and equal rewards make no pair"),
    batch("online/online_dpo",
          answers=[scored(CHOSEN, 1.0), scored(MIDDLE, 1.0), scored(REJECTED, 0.0), scored(MIDDLE, 0.0)],
          values={"pairs": [[0, 2]]}, note="of equals the first"),
    batch("online/online_dpo",
          answers=[scored(MIDDLE, 9.0, train=False), scored(CHOSEN, 1.0), scored(MIDDLE, 1.0), scored(REJECTED, 0.0)],
          values={"pairs": [[1, 3]]}, note="only trained answers"),
    batch("online/online_dpo", answers=[scored(CHOSEN, 1.0), scored(REJECTED, 1.0)], loss=0, logp=[0, 0],
          note="equal rewards teach nothing"),
    # The reference's answer is the rejected one, of log-prob -12, and then the better one, of log-prob -10.
    batch("online/xpo", {"exploration.weight": 0.01}, [scored(CHOSEN, 1.0), scored(REJECTED, 0.0, author=1)],
          loss=DPO - 0.12, metrics={"loss/exploration": -12.0}, logp=[-0.1 * WRONG, 0.1 * WRONG + 0.01]),
    batch("online/xpo", {"exploration.weight": 0.01}, [scored(REJECTED, 0.0), scored(CHOSEN, 1.0, author=1)],
          metrics={"loss/exploration": -10.0}, logp=[None, -0.1 * WRONG + 0.01]),
    batch("online/xpo", {"exploration.weight": 0.01},
          [scored(CHOSEN, 1.0), scored(CHOSEN, 1.0, author=1), scored(REJECTED, 1.0, author=1)],
          metrics={"loss/exploration": -11.0, "loss/preference": 0}, logp=[0, 0.005, 0.005],
          note="the mean is over the reference's answers"),
)

# ---- a critic

CRITIC = (
    *(batch("online/ppo", {"lam": lam}, three_tokens(),
            values={"token_reward": [[0, 0, 1]], "credit": [credit],
                    "returns": [[a + v for a, v in zip(credit, (0.5, 0.4, 0.3), strict=True)]]})
      for lam, credit in [(0.95, [0.43675, 0.565, 0.7]), (1.0, [0.5, 0.6, 0.7]), (0.0, [-0.1, -0.1, 0.7])]),
    batch("online/ppo_dense", {"lam": 1.0}, note="credit of the second token lacks what the first has earned",
          answers=[answer(old_value=[0.0] * 3, value=[0.0] * 3, dense_reward=[0.3, -0.5, 2.0], logp=[-1.0] * 3,
                          old_logp=[-1.0] * 3, ref_logp=[-1.2, -1.0, -0.6], rollout_logp=[-1.0] * 3)],
          values={"token_reward": [[0.29, -0.5, 2.02]], "credit": [[1.81, 1.52, 2.02]]}),
    batch("online/ppo", {"lam": 1.0, "gamma": 0.5}, three_tokens(),
          values={"credit": [[0.25 - 0.5, 0.5 - 0.4, 1 - 0.3]]}),
    batch("online/ppo", {"lam": 0.0}, three_tokens(), within=1e-7, note="whitened, with the biased variance",
          values={"advantage": [[-0.70710678, -0.70710678, 1.41421356]]}),
    batch("online/ppo", {"lam": 0.0, "eps": 1.0}, three_tokens(), within=1e-6,
          values={"advantage": [[-0.193640, -0.193640, 0.387281]]}),
    batch("online/ppo",
          answers=[answer(old_value=[0.0] * 2, value=[0.0] * 2, reward=1.0, logp=[-1.0] * 2, old_logp=[-1.0] * 2,
                          ref_logp=[-1.2, -1.4], rollout_logp=[-1.0, -0.9])],
          values={"token_reward": [[-0.01, 0.98]]}, metrics={"kl": 0.3, "sampling/logp_difference": 0.05}),
    # Values 0 and 1 of returns 0 and 4: variances of error and returns 9/4 and 4.
    batch("online/ppo",
          answers=[*group([0.0], [1], value=0.0, old_value=0.0), *group([4.0], [1], value=1.0, old_value=1.0)],
          metrics={"value/explained_var": 1 - 9 / 16}),
    batch("online/ppo_adaptive_kl", answers=group([1.0] * 256, [1] * 256, ref_logp=-13.0), within=1e-9,
          states={"kl_weight": {"weight": 0.1}}, after={"kl_weight": {"weight": 0.100512}}, metrics={"kl_weight": 0.1},
          values={"token_reward": [1 - 0.1 * 12] * 256}),
    *(batch("online/ppo_adaptive_kl", {"horizon": 1.0}, group([1.0], [1], ref_logp=-1.0 - kl), note=f"KL {kl}",
            states={"kl_weight": {"weight": 0.1}}, after={"kl_weight": {"weight": 0.1 * factor}})
      for kl, factor in [(6.6, 1.1), (5.4, 0.9), (0.0, 0.8)]),
    batch("online/ppo_adaptive_kl", answers=group([0.0], [1], train=False, ref_logp=-99.0), within=0,
          states={"kl_weight": {"weight": 0.1}}, after={"kl_weight": {"weight": 0.1}}, values={"kl_weight": 0.1},
          note="answers that are not trained on do not steer"),
    # Target 0.01: beyond 0.015 the weight doubles, below 0.00667 it halves.
    *(batch("online/ppo_penalty", {"passes": 1}, fallen(kl), note=f"KL {kl}",
            after={"penalty_weight": {"weight": weight}}, carries={"penalty_weight": weight})
      for kl, weight in [(0.016, 2), (0.01, 1), (0.006, 0.5)]),
    batch("online/ppo_penalty", {"passes": 1}, fallen(0.5), logp=[-0.5, exp(-0.5) - 0.5],
          metrics={"loss/distance": exp(-0.5) + 0.5 - 1, "loss/policy": 0.0}),
    batch("online/ppo_penalty", {"passes": 1}, fallen(0.5), loss=4 * (exp(-0.5) + 0.5 - 1) + 0.1 * 0.25,
          states={"penalty_weight": {"weight": 4.0}}, carried={"penalty_weight": 4.0},
          note="the weight of the batch before"),
    *(batch("online/ppo_ptx", {"pretrain.weight": weight}, group(), metrics={"loss/pretrain": 2.0},
            others={"pretrain": [answer(logp=[-1.0, -2.0]), answer(logp=[-3.0])]},
            gradients={"pretrain.logp": [-weight / 3, -weight / 3]})
      for weight in (1.0, 27.8)),
)

# ---- a cost beside the reward

COST = (
    batch("online/safe_rlhf", {"budget": -2.0}, costly((1.0, 2.0)), metrics={"penalty": 1}),
    batch("online/safe_rlhf", {"largest": 1.05}, costly((1.0, 2.0)), metrics={"penalty": 1.05}, within=0),
    batch("online/safe_rlhf", answers=costly((1.0, 9.0), train=False), values={"penalty": 2},
          states={"penalty": {"lambda": 2.0, "cost": 1.0}}, after={"penalty": {"lambda": 2, "cost": 1}},
          note="answers that are not trained on do not steer"),
    batch("online/safe_rlhf", answers=costly((1.0, 0.5), ref_logp=-3.0), note="the KL lowers one and raises the other",
          values={"token_reward": [1 - 0.05 * 2], "token_cost": [0.5 + 0.05 * 2]}),
    batch("online/safe_rlhf", {"penalty.rate": 0.0}, costly((2.0, 4.0), (0.0, 0.0), (2.0, 0.0), (0.0, 4.0)),
          values={"advantage": [-1.0, 0.0, 1.0, -2.0]}, logp=[0.25, 0.0, -0.25, 0.5]),
    # Critics that know both means: half the gap of the rewards, and a cost of a thousandth weighs a thousandth.
    batch("online/safe_rlhf", {"penalty.rate": 0.0}, costly((1.0, 0.001), (0.0, 0.0), value=0.5, cost_value=0.0005),
          values={"advantage": [0.24975, -0.24975]}, note="not whitened"),
    batch("online/safe_rlhf", answers=costly((1.0, 0.5)), metrics={"loss/cost_value": 0.5 * 0.25},
          gradients={"cost_value": [-0.1 * 0.5]}),
)

# fmt: on

ONLINE = (*GROUPS, *BASELINES, *PAIRS, *CRITIC, *COST)
