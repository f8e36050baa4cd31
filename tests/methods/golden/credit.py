"""Golden numbers of the methods that give credit to parts of an answer."""

from __future__ import annotations

from math import exp

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

# fmt: on

CREDIT = (*MACRO,)
