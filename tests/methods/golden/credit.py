"""Golden numbers of the methods that give credit to parts of an answer."""

from __future__ import annotations

from math import exp, log

from tests.harness.numbers import answer
from tests.methods.golden.row import batch

HIGH, LOW = 1.41421356, -0.70710678  # one larger than two equal ones, whitened


def earning(*rewards: float, values=(0.5, 0.4, 0.3), score: float = 0.0, **more):
    """One answer whose tokens have these rewards at kl_weight 1, with the score at the last one, and a critic."""
    n = len(rewards)
    same = {"old_logp": [-1.0] * n, "rollout_logp": [-1.0] * n, "ref_logp": [r - 1.0 for r in rewards]}
    critic = {"old_value": list(values), "value": list(values)}
    return answer(reward=score, **{"logp": [-1.0] * n, **same, **critic, **more})


def macro(path, answers, *, note="", weights="equal", first=0.45, **settings):
    """Macro actions of two tokens and of one at γ = λ = 1/2: rewards 0.3, -0.2 | 2.4, and values 0.5, 0.4 | 0.3."""
    early, late = 0.3 - 0.5 * 0.2 + 0.25 * 0.3 - first + 0.25 * 0.5 * (2.4 - 0.3), 2.4 - 0.3
    return batch(
        path,
        {"kl_weight": 1.0, "gamma": 0.5, "lam": 0.5, "weights": weights, **settings},
        answers,
        values={
            "macro": [[1, 0, 1]],
            "credit": [[early, early, late]],
            "returns": [[early + first, early + first, 2.4]],
        },
        note=note,
    )


PLAIN = earning(0.3, -0.2, 0.4, score=2.0)
MOVED = {"logp": [-0.9, -1.2, -0.95]}  # log-ratios 0.1, -0.2 | 0.05


def clipped(of, *ratios, n=2, low=0.2, metric=0.0):
    """Advantages (-, -, +) of the two macro actions, which do not depend on how far apart they are."""
    a = (LOW, LOW, HIGH)
    return batch(
        "online/ma_rlhf",
        {"n": n, "of": of, "low": low, "high": low, "passes": 1, "value.weight": 0.0},
        [earning(0.3, -0.2, 0.4, score=2.0, **MOVED)],
        loss=-sum(max(r, 1 - low) * x if x < 0 else min(r, 1 + low) * x for r, x in zip(ratios, a, strict=True)) / 3,
        logp=[[0 if (r < 1 - low if x < 0 else r > 1 + low) else -x * r / 3 for r, x in zip(ratios, a, strict=True)]],
        metrics={"clip_ratio/region_mean": metric},
        within=1e-6,
        note=f"the ratio of a {of}",
    )


# fmt: off
# A row reads as a line of a paper's example.

MACRO = (
    macro("online/ma_rlhf", [PLAIN], n=2),
    macro("online/ma_rlhf", [PLAIN], n=2, weights="first", first=0.5),
    macro("online/ma_rlhf", [PLAIN], n=2, weights="last", first=0.4),
    macro("online/ma_rlhf", [PLAIN], n=2, weights="position", first=(2 * 0.5 + 0.4) / 3),
    batch("online/ma_rlhf", {"n": 2}, [earning(*[0.0] * 5, values=[0.0] * 5)], values={"macro": [[1, 0, 1, 0, 1]]}),
    batch("online/ma_rlhf", {"n": 3}, [earning(*[0.0] * 5, values=[0.0] * 5)], values={"macro": [[1, 0, 0, 1, 0]]}),
    clipped("token", exp(0.1), exp(-0.2), exp(0.05)),
    clipped("token", exp(0.1), exp(-0.2), exp(0.05), low=0.1, metric=1 / 3),
    clipped("macro", exp(-0.1), exp(-0.1), exp(0.05)),
    clipped("macro", exp(-0.1), exp(-0.1), exp(0.05), low=0.05, metric=1.0),
    # log-probs under the reference: -0.7, -1.2, -0.6 and a run of -1.2, -0.6
    batch("online/ma_rlhf_surprise", {"kl_weight": 1.0, "lam": 0.0}, [earning(0.3, -0.2, 0.4, score=2.0)],
          values={"macro": [[1, 1, 0]], "credit": [[0.3 + 0.35 - 0.5, 2.2 - 0.35, 2.2 - 0.35]]}),
    batch("online/ma_rlhf_surprise", answers=[earning(0.1, 0.1, 0.2, 0.1, 0.3, values=[0.0] * 5)],
          values={"macro": [[1, 0, 0, 1, 0]]}, note="equal perplexities go on"),
    macro("online/ma_rlhf_phrases", [earning(0.3, -0.2, 0.4, score=2.0, token_reward_phrases=[0.0, 1.0, 0.0])]),
    macro("online/ma_rlhf_phrases", [earning(0.3, -0.2, 0.4, score=2.0, token_reward_phrases=[0.0, -2.0, 1.0])],
          note="of any number"),
)

# ---- rewards of tokens from other models: ref_logp is -1 plus the reward at kl_weight 1

def judged(*rewards: float, reward: float = 0.0, author: int = 0, prompt: int = 0, **more):
    """An answer without a critic's opinion, by one of two authors; the second is not trained on."""
    made = earning(*rewards, values=[0.0] * len(rewards), score=reward, **more)
    return answer(author == 0, **made.values, group=prompt, author=author)


ODDS = [0.5, -2.0, 0.02]  # log-ratios of the model that DPO trained, over a reference of -1
DPO = {"dpo_logp": [x - 1.0 for x in ODDS]}
IMPLICIT = (
    batch("online/rto", {"kl_weight": 0.0}, [judged(0.0, 0.0, 0.0, reward=2.0, **DPO)],
          values={"token_reward": [[0.025, -0.05, 2.001]]}),
    batch("online/rto", {"scale": 2.0, "bound": 10.0, "kl_weight": 1.0}, [judged(0.1, 0.0, -0.3, reward=2.0, **DPO)],
          values={"token_reward": [[2 * 0.4 + 0.1, -4.0, 2.0 + 2 * 0.32 - 0.3]]}),
    batch("online/rto", {"bound": 0.02}, [judged(0.0, 0.0, 0.0, **DPO)],
          values={"token_reward": [[0.02, -0.02, 0.001]]}),
    batch("online/potential_shaping",
          {"gae.gamma": 0.5, "plus_potential.gamma": 0.5, "scale": 2.0, "kl_weight": 1.0, "lam": 1.0},
          [judged(0.1, 0.2, -0.3, reward=2.0, potential=[0.4, -1.0, 9.0])],
          values={"token_reward": [[0.1 + 0.4, 0.2 - 1.0 - 0.8, 1.7 + 2.0]],
                  "credit": [[0.5 + 0.5 * -1.6 + 0.25 * 3.7, -1.6 + 0.5 * 3.7, 3.7]]}),
)

# ---- weights of answers

BEFORE = [judged(0.0, reward=r, author=1, prompt=p) for r, p in ((1.0, 0), (0.0, 0), (3.0, 1))]
EFFECTS = (
    # Rewards of the reference: 1/2 on average, and 3. The changes are 1/2, 1/2, 3/2 and 7/2.
    batch("online/caa",
          answers=[*(judged(0.0, reward=r, prompt=p) for r, p in ((1.0, 0), (0.0, 0), (2.0, 0), (-0.5, 1))), *BEFORE],
          within=1e-5, note="rewards have the mean 0.625 and the deviation 0.96014",
          values={"advantage": [0.0, 0.0, (2 - 0.625) / 3 / 0.96014, -(0.5 + 0.625) / 0.96014, 0, 0, 0]}),
    batch("online/caa", answers=[judged(0.0, reward=1.5), judged(0.0, reward=-0.5), *BEFORE[:2]],
          values={"advantage": [1.0, -1.0, 0, 0]}, within=1e-6, note="all changes are equal"),
    batch("online/caa", answers=[judged(0.0, reward=r, author=1) for r in (1.0, 0.0)], values={"advantage": [0.0, 0.0]},
          note="nothing is trained"),
)

# ---- support

SEEN = {"behaviour_logp": [-1.0, -20.0, -2.0]}
SUPPORT = (
    batch("online/bspo", {"gamma": 0.5, "lam": 0.5, "kl_weight": 1.0, "margin": 0.25},
          [earning(0.3, -0.2, 0.4, score=2.0, **SEEN)], after={"lowest": {"lowest": 2.0}},
          values={"support": [[1, 0, 1]], "lowest": 1.75, "returns": [[0.2 + 0.25 * 1.35 + 0.3, 1.75, 2.4]],
                  "credit": [[0.3 + 0.2 - 0.5 + 0.25 * 1.35, 1.75 - 0.4, 2.4 - 0.3]]}),
    batch("online/bspo", {"floor": 0.2},
          [judged(0.0, 0.0, reward=r, behaviour_logp=[-1.5, -1.7]) for r in (1.0, -3.0)],
          states={"lowest": {"lowest": -2.0}}, after={"lowest": {"lowest": -3.0}},
          values={"support": [[1, 0], [1, 0]]}),
    batch("online/bspo", answers=[judged(0.0, reward=1.0, behaviour_logp=[-1.0])], values={"lowest": -2.0},
          states={"lowest": {"lowest": -2.0}}, after={"lowest": {"lowest": -2.0}}, note="the lowest is kept"),
    batch("online/bspo", answers=[judged(0.0, reward=-9.0, author=1, behaviour_logp=[-1.0])], values={"lowest": 0.0},
          note="nothing is trained"),
    batch("reward/score_lm", {"text.weight": 0.5},
          [answer(score=1.0, reward_logp=[-1.0, -2.0]), answer(score=0.0, reward_logp=[-6.0])],
          pairs=[(0, 1)], loss=log(1 + exp(-1)) + 0.5 * 3.0,
          gradients={"score": [-1 / (1 + exp(1)), 1 / (1 + exp(1))], "reward_logp": [[-1 / 6, -1 / 6], [-1 / 6]]}),
)

# ---- the policy's own certainty: rewards of a group are standardised

def sure(*tokens: float, name: str, prompt: int = 0):
    n = len(tokens)
    same = {k: [-1.0] * n for k in ("logp", "old_logp", "ref_logp", "rollout_logp")}
    return answer(**{**same, name: list(tokens)}, group=prompt)


INTERNAL = tuple(
    batch(path, answers=[sure(1.0, 2.0, name=name), sure(0.5, name=name)], within=2e-6,
          values={"internal_reward": [sign * 1.5, sign * 0.5], "advantage": [sign * 0.70710678, sign * -0.70710678]},
          metrics={"internal_reward": sign * 1.0})
    for path, name, sign in (("online/self_certainty", "old_certainty", 1), ("online/token_entropy", "old_entropy", -1),
                             ("online/trajectory_entropy", "old_logp", 1))
)

# ---- energy, and prompts

ENERGY = (
    batch("online/eppo", {"price": 3.0, "kl_weight": 0.0},
          [judged(0.0, 0.0, reward=1.0, old_energy=[0.5, 0.3], ref_energy=[9.0, 9.0]),
           judged(0.0, reward=1.0, old_energy=[-0.1], ref_energy=[9.0]),
           judged(0.0, 0.0, author=1, old_energy=[7.0, 7.0], ref_energy=[0.1, 0.2]),
           judged(0.0, author=1, old_energy=[7.0], ref_energy=[0.25])],
          values={"token_reward": [[0.0, 1 - 3 * 0.2], [1 - 3 * 0.3], None, None]}),
)
PROMPTS = [(0, 1.0), (0, 2.0), (1, 0.0), (1, -1.0), (2, 3.0), (2, 5.0)]  # means 1.5, -0.5 and 4
ROBUST = tuple(
    batch("online/robust_rlhf", {"radius": radius, "kl_weight": 0.1},
          [judged(0.0, reward=r, prompt=p) for p, r in PROMPTS], note=f"radius {radius}",
          values={"advantage": [x * w for x, w in zip([-1, 1, 1, -1, -2, 2], [a, a, b, b, c, c], strict=True)]})
    for radius, (a, b, c) in {0.0: (1, 1, 1), 0.25: (1, 1.75, 0.25), 0.5: (0.5, 2.5, 0), 1.0: (0, 3, 0)}.items()
)

# fmt: on

CREDIT = (*MACRO, *IMPLICIT, *EFFECTS, *SUPPORT, *INTERNAL, *ENERGY, *ROBUST)
