"""Golden numbers of PPO's relatives: sampled answers with a critic."""

from __future__ import annotations

from math import exp, log

from tests.harness.numbers import answer
from tests.methods.golden.row import batch
from tests.methods.online.group import group

# fmt: off
# A row reads as a line of a paper's example.

# Two answers of one token, rewards 3 and 1 on the reference: advantages 1 and -1 after whitening.
GOOD, BAD = group([3.0, 1.0], [1, 1])


def moved(by: float, ref_logp: float = -1.2):
    """The good and the bad answer; the policy's log-prob of the good one has moved by `by`."""
    return [answer(**GOOD.values | {"logp": [-1.2 + by], "old_logp": [-1.2], "ref_logp": [ref_logp]}),
            answer(**BAD.values | {"ref_logp": [-1.0 + ref_logp + 1.2]})]


APA = {"passes": 1, "gae.lam": 1.0}

ON_TEXT = {"pretrain": [answer(logp=[-1.0, -2.0]), answer(logp=[-3.0])]}
SCALED = {"passes": 1, "pretrain.weight": 0.0}
NINE = {"count": 2.0, "mean": 2.0, "squares": 2.0}  # rewards 1 and 3 before


def earning(*rewards: float):
    return group(rewards, [1] * len(rewards))


MAX = (
    # 1, 3 | 3, 9: mean 4, squared distances 9 + 1 + 1 + 25 = 36, and a deviation of sqrt(36/3).
    batch("online/ppo_max", SCALED, earning(3.0, 9.0), states={"scaled_reward": NINE},
          after={"scaled_reward": {"count": 4.0, "mean": 4.0, "squares": 36.0}},
          values={"scaled_reward": [3 / 12**0.5, 9 / 12**0.5]}),
    batch("online/ppo_max", {**SCALED, "by": "whiten"}, earning(3.0, 9.0), states={"scaled_reward": NINE},
          values={"scaled_reward": [-1 / 12**0.5, 5 / 12**0.5]}),
    batch("online/ppo_max", {**SCALED, "by": "none", "scaled_reward.clip": 4.0}, earning(3.0, 9.0, -9.0),
          values={"scaled_reward": [3.0, 4.0, -4.0]}, after={"scaled_reward": {"count": 3.0, "mean": 1.0}}),
    batch("online/ppo_max", {**SCALED, "by": "none", "scaled_reward.clip": 0.0}, earning(30.0, -9.0),
          values={"scaled_reward": [30.0, -9.0]}, note="no clip"),
    batch("online/ppo_max", SCALED, earning(3.0), values={"scaled_reward": [3.0]}, note="one reward has no deviation",
          after={"scaled_reward": {"count": 1.0, "mean": 3.0, "squares": 0.0}}),
    batch("online/ppo_max", SCALED, [*earning(1.0, 3.0), *group([50.0], [1], train=False)],
          values={"scaled_reward": [1 / 2**0.5, 3 / 2**0.5, None]}, note="only answers that are trained on count"),
    batch("online/ppo_max", SCALED, group([50.0], [1], train=False), states={"scaled_reward": NINE},
          after={"scaled_reward": NINE}, note="nothing to learn from"),
    batch("online/ppo_max", {**SCALED, "bound": 0.5}, earning(0.0, 2.0), values={"advantage": [-0.5, 0.5]}),
    batch("online/ppo_max", {**SCALED, "entropy.weight": 0.25}, [
              answer(**earning(1.0)[0].values | {"entropy": [0.7]})],
          metrics={"loss/entropy": -0.7}, gradients={"entropy": [-0.25]}),
    batch("online/ppo_max", {"passes": 1}, earning(1.0, 1.0), others=ON_TEXT, metrics={"loss/pretrain": 2.0},
          gradients={"pretrain.logp": [-1 / 3, -1 / 3], "value": [-0.5, -0.5]}),
)

# Tokens 0 to 3 have probabilities 0.15, 0.5, 0.05 and 0.3. The good answer is token 1, the bad one token 3. The mask
# model is the policy: at p = 0.7 tokens 1 and 3 are left, which then have 0.625 and 0.375.
FOUR = [log(p) for p in (0.15, 0.5, 0.05, 0.3)]


def drawn(good: float, bad: float, temperature: float = 1.0):
    """The two answers, and the probabilities that they were drawn with."""
    return [answer(**a.values | {"logits": [FOUR], "rollout_logp": [log(p)], "temperature": temperature})
            for a, p in ((GOOD, good), (BAD, bad))]


ONCE = {"passes": 1, "gae.lam": 1.0}
NLPO = (
    batch("online/nlpo", {**ONCE, "top_p": 0.7}, drawn(0.6, 0.4), within=1e-6,
          metrics={"loss/policy": (-0.625 / 0.6 + 0.375 / 0.4) / 2},
          gradients={"logits": [[[0, -0.625 / 0.6 / 2 * 0.375, 0, 0.625 / 0.6 / 2 * 0.375]],
                                [[0, -0.375 / 0.4 / 2 * 0.625, 0, 0.375 / 0.4 / 2 * 0.625]]]}),
    batch("online/nlpo", {**ONCE, "top_p": 0.5}, drawn(0.9, 0.4), within=1e-6, note="what was drawn stays",
          metrics={"loss/policy": (-1 / 0.9 + 0.375 / 0.4) / 2}),
    batch("online/nlpo", {**ONCE, "top_p": 0.5, "least": 3}, drawn(0.5, 0.3), within=1e-6,
          metrics={"loss/policy": (-0.5 / 0.95 / 0.5 + 0.3 / 0.95 / 0.3) / 2}),
    batch("online/nlpo", {**ONCE, "top_p": 1.0}, drawn(0.45, 0.32), within=1e-6, note="no mask",
          metrics={"loss/policy": (-0.5 / 0.45 + 0.3 / 0.32) / 2}),
    # Logits are those at temperature 2: without it token 1 has probability 0.25/0.365 = 0.685, enough for p = 0.68.
    batch("online/nlpo", {**ONCE, "top_p": 0.68}, drawn(0.9, 0.4, temperature=2.0), within=1e-6,
          metrics={"loss/policy": (-1 / 0.9 + 0.375 / 0.4) / 2}),
    batch("online/nlpo", {**ONCE, "top_p": 0.68}, drawn(0.6, 0.4, temperature=0.0), within=1e-6, note="greedy",
          metrics={"loss/policy": (-0.625 / 0.6 + 0.375 / 0.4) / 2}),
)

CRITICS = (
    *NLPO,
    *MAX,
    batch("online/apa", {**APA, "temperature": 2.0}, moved(0.2),
          metrics={"loss/policy": (0.09 + 0.25) / 2, "loss/value": (9 + 1) / 4}, loss=0.17 + 0.1 * 2.5,
          logp=[-0.3, 0.5], gradients={"value": [-0.1 * 3 / 2, -0.1 * 1 / 2]}, within=1e-7),
    batch("online/apa", APA, moved(0.2), metrics={"loss/policy": (9.8**2 + 100) / 2}, within=1e-7),
    # The reference lies 0.5 below the policy of before, and so does that of the other answer: the reward is shifted.
    batch("online/apa", {**APA, "temperature": 2.0, "improves": "ref"}, moved(0.2, ref_logp=-1.7), within=1e-7,
          metrics={"loss/policy": ((0.7 - 0.5) ** 2 + (0.5 + 0.5) ** 2) / 2}, logp=[0.2, 1.0]),
    batch("online/awr", {"passes": 1}, moved(0.2), within=1e-7, logp=[-exp(1) / 2, -exp(-1) / 2],
          metrics={"loss/policy": (exp(1) * 1.0 + exp(-1) * 1.0) / 2}),
    batch("online/awr", {"passes": 1, "temperature": 0.5, "cap": 5.0}, moved(0.0), within=1e-7,
          logp=[-5 / 2, -exp(-2) / 2]),
)
