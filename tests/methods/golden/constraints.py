"""Golden numbers of methods that trade a reward against constraints."""

from __future__ import annotations

import math

from tests.harness.numbers import answer
from tests.methods.golden.row import batch


def judged(*earned, kl=0.5, kl_value=0.0, value=0.0):
    """Answers of one token with rewards by name, whose log-prob is `kl` above the reference's."""
    same = {"logp": [-1.0], "old_logp": [-1.0], "rollout_logp": [-1.0], "ref_logp": [-1.0 - kl]}
    values = {"value": [kl_value], "old_value": [kl_value]}
    critics = {"value/a": [value], "old_value/a": [value], "value/b": [0.0], "old_value/b": [0.0]}
    critics |= {"value/reward": [value], "old_value/reward": [value]}
    return [answer(**same, **values, **critics, **rewards) for rewards in earned]


def sigma(x):
    return 1 / (1 + math.exp(-x))


TWO = {"components": ("a", "b"), "multiplier/a.threshold": 0.5, "multiplier/b.threshold": 0.2}
A, B = sigma(-0.1 * (1 - 0.5)), sigma(-0.1 * (0 - 0.2))
PUSH = math.tanh(1.5)
SECOND = 0.5 * 0.1 + (0.0 - 0.5)  # the second step: m v + the gap, for a reward of 0 after one of 0.6

SAME = {n: [-1.0, -1.0] for n in ("logp", "old_logp", "ref_logp", "rollout_logp")}
VALUES = {"value": [0.0, 0.0], "old_value": [0.0, 0.0], "value/reward": [0.5, 0.2], "old_value/reward": [0.5, 0.2]}
TWO_TOKENS = [answer(reward=1.0, **SAME, **VALUES)]


def sampled(reward, cost=0.0, kl=0.0, *, prompt=0, author=0, train=True, **verdicts):
    """An answer of two tokens with log-prob -1 each, whose log-ratio is `kl`."""
    same = {n: [-1.0, -1.0] for n in ("logp", "old_logp", "rollout_logp")} | {"ref_logp": [-1.0 - kl / 2] * 2}
    return answer(train, **same, group=prompt, author=author, reward=reward, cost=cost, **verdicts)


def reference(reward, **given):
    return sampled(reward, author=1, train=False, **given)


S = sigma(1.0)  # 0.731059, of a reward that is 1 above that of the reference's answer
CAPPED = 0.6 * S  # 0.438635, at a log-ratio of 4 of 10
IMITATED = (sampled(1.0), sampled(3.0, 1.0), sampled(2.0), sampled(9.0, kl=11.0), sampled(1.0, author=1))
NONE_LEFT = (sampled(5.0, 1.0, prompt=1), sampled(0.0, author=1, prompt=1))

# fmt: off
CONSTRAINED = (
    batch("online/constrained_rlhf", TWO, judged({"reward_a": 1.0, "reward_b": 0.0}), within=1e-7,
          values={"multiplier/a": A, "multiplier/b": B, "token_reward": [[-0.5]], "credit/a": [[1]], "credit/b": [[0]],
                  "advantage": [[(1 - A) * -0.5 + A + (1 - B) * -0.5]]},
          metrics={"multiplier/a": A, "loss/value/a": 0.5}, gradients={"value/a": [[-0.1]], "value/b": [[0]]}),
    batch("online/constrained_rlhf", {"constraint": "equal", "rate": 1.0}, judged({"reward": 2.0}), within=1e-7,
          values={"multiplier/reward": -PUSH, "advantage": [[(1 + PUSH) * -0.5 - 2 * PUSH]]},
          after={"multiplier/reward": {"mu": -1.5, "step": 1.5}}, note="too much is pushed back"),
    batch("online/constrained_rlhf", {"momentum": 0.5}, judged({"reward": 0.0}), within=1e-7,
          states={"multiplier/reward": {"mu": 1.0, "step": 0.1}},
          values={"multiplier/reward": sigma(1.0 - 0.1 * SECOND)},
          after={"multiplier/reward": {"mu": 1.0 - 0.1 * SECOND, "step": SECOND}}),
    batch("online/constrained_rlhf", {"kl_weight": 2.0, "start": -1.0, "threshold": 1.0}, within=1e-7,
          answers=judged({"reward": 1.0}, kl_value=0.25, value=0.5),
          values={"token_reward": [[-1]], "multiplier/reward": sigma(-1.0), "credit": [[-1.25]],
                  "credit/reward": [[0.5]], "returns/reward": [[1]],
                  "advantage": [[-1.25 * sigma(1.0) + 0.5 * sigma(-1.0)]]},
          note="critics of their own"),
    batch("online/constrained_rlhf", {"components": ("a",), "threshold": 0.25},
          judged({"reward_a": math.nan}, {"reward_a": 0.25}), within=1e-7,
          values={"credit/a": [[0], [0.25]], "returns/a": [[0], [0.25]], "multiplier/a": 0.5},
          note="a reward that abstains is no score"),
    batch("online/constrained_rlhf", {"lam": 0.5, "gamma": 0.5, "start": 99.0}, TWO_TOKENS, within=1e-7,
          values={"credit/reward": [[0.5 * 0.2 - 0.5 + 0.25 * 0.8, 0.8]], "multiplier/reward": 1}),

    # ---- privacy: two answers of lengths 1 and 2, which count alike, and are not standardised

    batch("online/dpppo", within=1e-7, answers=[
            answer(reward=1.0, **{n: [-1.0] for n in ("logp", "old_logp", "ref_logp", "rollout_logp")},
                   value=[0.0], old_value=[0.0]),
            answer(reward=0.0, **{n: [-1.0] * 2 for n in ("logp", "old_logp", "ref_logp", "rollout_logp")},
                   **{n: [0.5, 0.5] for n in ("value", "old_value")})],
          values={"advantage": [[1], [-0.475, -0.5]], "returns": [[1], [0.025, 0]]}, logp=[[-0.5], [0.475 / 4, 0.125]],
          gradients={"value": [[-0.05], [0.1 * 0.475 / 4, 0.1 * 0.125]]}),

    # ---- segments of two tokens: gains 1 and -2 and 3 of the preferred answer, -1 and 1 of the rejected one

    batch("preference/adpo", {"segment": 2, "beta": 1.0, "threshold": 0.5}, within=1e-7, pairs=[(0, 1)],
          answers=[answer(logp=[-1.0] * 5, ref_logp=[-1.5, -1.5, -9.0, -9.0, -1.25],
                          prefix_reward=[0.5, 1.0, 7.0, -1.0, 2.0]),
                   answer(logp=[-1.0] * 4, ref_logp=[-0.5, -0.75, -9.0, -9.0], prefix_reward=[3.0, -1.0, 0.0, 0.0])],
          values={"gain": [[1, 1, -2, -2, 3], [-1, -1, 1, 1]]}, loss=-math.log(sigma(1.25 + 0.75)),
          logp=[[-sigma(-2.0)] * 2 + [0, 0, -sigma(-2.0)], [sigma(-2.0)] * 2 + [0, 0]]),
    batch("preference/adpo", {"segment": 3}, pairs=[(0, 1)], note="of each answer its own",
          answers=[answer(logp=[-1.0] * 2, ref_logp=[-1.0] * 2, prefix_reward=[1.0, 2.0]),
                   answer(logp=[-1.0] * 4, ref_logp=[-1.0] * 4, prefix_reward=[5.0, 6.0, 4.0, 8.0])],
          values={"gain": [[2, 2], [4, 4, 4, 4]]}),

    # ---- judges

    batch("online/crpg", answers=[sampled(2.0, kl=4.0), sampled(5.0, 1.0), reference(1.0)], within=1e-6,
          values={"allowed": [1, 0, 1], "calibrated": [0.731059, sigma(4.0), 0.5], "worth": [0.438635, 0, 0.5],
                  "advantage": [[0.2193175] * 2, [-0.2193175] * 2, [0, 0]]},
          logp=[[-CAPPED / 4] * 2, [CAPPED / 4] * 2, [0, 0]]),
    batch("online/crpg", {"kl_max": 5.0}, within=1e-6, note="prompts have references of their own, and one baseline",
          answers=[sampled(2.0, kl=6.0), reference(1.0), sampled(2.0, kl=-1.0, prompt=1), reference(2.0, prompt=1)],
          values={"worth": [0, None, 0.6, None], "advantage": [[-0.3] * 2, [0, 0], [0.3] * 2, [0, 0]]}),
    batch("online/crpg", {"judges": ("a", "b"), "above": 0.3}, within=1e-6,
          answers=[sampled(0.0, reward_a=a, reward_b=b) for a, b in
                   [(1.0, 0.4), (0.2, 1.0), (1.0, 0.2), (math.nan, 0.3), (math.nan, math.nan)]] +
                  [reference(0.0, reward_a=0.0, reward_b=1.0)],
          values={"allowed": [1, 0, 0, 1, 1, 0]}, note="whoever abstains does not object"),
    batch("online/crraft", answers=IMITATED, values={"row_weight": [0, 0, 5 * S, 0, 0]}, loss=2 * S,
          logp=[0, 0, -S, 0, 0], within=1e-7, note="not who violates, nor who is too far"),
    batch("online/crraft", {"kl_max": 11.0}, IMITATED, within=1e-7,
          values={"row_weight": [0, 0, 0, 5 * sigma(8.0), 0]}),
    batch("online/crraft", answers=[*IMITATED, *NONE_LEFT], within=1e-7, loss=(2 * S + 1) / 2,
          values={"row_weight": [0, 0, 3.5 * S, 0, 0, 0, 1.75]}, note="else the reference's answer"),
    batch("online/crraft", answers=[sampled(5.0, 1.0), sampled(5.0), sampled(5.0), sampled(5.0, 1.0, author=1)],
          values={"row_weight": [0, 2, 0, 0]}, note="of equals the first"),
    batch("online/crraft", answers=[sampled(5.0, 1.0), sampled(0.0, 0.5, author=1)], loss=0, logp=[0, 0],
          note="a prompt without an answer that may be imitated is skipped"),
    batch("online/codpo", answers=[sampled(1.0), sampled(0.0, 1.0), sampled(3.0), sampled(-1.0), sampled(9.0, 2.0)],
          values={"pairs": [[2, 1]]}, metrics={"loss/likelihood": 1.0}, note="best allowed against worst violating"),
    batch("online/codpo", {"beta": 1.0}, [sampled(1.0, kl=3.0), sampled(0.0)], values={"pairs": [[0, 1]]}, within=1e-7,
          loss=-math.log(sigma(3.0)) + 0.2, logp=[[-sigma(-3.0) - 0.1] * 2, [sigma(-3.0)] * 2],
          note="where nothing is violated, the worst of all"),
    batch("online/codpo", values={"pairs": []}, loss=0,
          answers=[sampled(1.0, 1.0), sampled(0.0, 1.0), sampled(2.0, prompt=1), sampled(2.0, prompt=1)],
          note="all violate, or all are equal"),
    batch("online/codpo", answers=[sampled(1.0), sampled(1.0, 1.0), sampled(1.0, 1.0), reference(-5.0, cost=1.0)],
          values={"pairs": [[0, 1]]}, note="equal rewards on two sides, and nobody who is not trained"),
)
# fmt: on
