"""The same numbers as OpenRLHF and verl where both mean the same.

The numbers come from running their own functions in float64 on the tensors below: openrlhf/models/loss.py of 2026-08-13
and verl/trainer/ppo/core_algos.py of 2026-01-29. Both put 1e-8 into denominators, so means agree to eight digits. Where
the definitions differ, docs/peers.md says how and why.
"""

from __future__ import annotations

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.catalogue.transforms.off_policy import corrected
from posttrain.core.method import TOKEN_MEAN, Term, variant, without
from posttrain.formulas.losses.values import clipped_value
from tests.harness.numbers import answer, step

CLOSE = {"rel": 3e-8, "abs": 5e-9}
SIZES = (3, 1, 2, 2)
NOW = [[-1.0, -0.5, -2.0], [-0.7], [-1.2, -0.3], [-2.5, -0.9]]
OLD = [[-1.3, -0.45, -2.1], [-1.2], [-1.15, -0.6], [-2.2, -1.4]]
ROLLOUT = [[-1.25, -0.5, -2.9], [-1.3], [-1.0, -0.65], [-2.25, -1.35]]
ADVANTAGE = [1.5, -0.5, 0.25, -1.25]
REWARD = [1.0, 0.0, 2.0, -1.0]


def flat(rows):
    return [x for row in rows for x in (row if isinstance(row, list) else [row])]


def answers(**more):
    for i, (now, old, rollout) in enumerate(zip(NOW, OLD, ROLLOUT, strict=True)):
        own = {name: values[i] for name, values in more.items()}
        same = {"logp": now, "old_logp": old, "ref_logp": old, "rollout_logp": rollout}
        yield answer(**same, reward=REWARD[i], group=i // 2, author=0, ended=True, **own)


def given(method, **settings):
    """A method on the advantages above, once, without its other terms."""
    alone = {name: term for name, term in method.loss.items() if name == "policy"}
    derived = {name: d for name, d in method.derived.items() if name not in ("advantage", "returns")}
    return configure(variant(method, loss=alone, derived=derived, metrics={}, passes=1, minibatches=1), settings)


GRPO = load("online/grpo")
TOKENS = {"policy.reduce": "token_mean"}
DUAL = variant(GRPO, loss={"policy": load("online/dual_clip_ppo").loss["policy"]})

# name: (our method, its settings, the loss and the gradient that their code gives)
LOSSES = {
    "OpenRLHF ppo, verl with a wide second bound": (
        GRPO, TOKENS, -0.192143205783,
        [[0.0, -0.178355517094, -0.207219547139], [0.103045079419], [-0.029725919516, 0.0], [0.0, 0.257612698547]],
    ),
    "OpenRLHF ppo, token_level_loss false": (
        GRPO, {}, 0.114426892766,
        [[0.0, -0.118903677666, -0.138146364299], [0.206090156777], [-0.029725919367, 0.0], [0.0, 0.257612697259]],
    ),
    "OpenRLHF ppo, eps_clip_low_high 0.2 0.3": (
        GRPO, {**TOKENS, "high": 0.3}, -0.214018205783,
        [[0.0, -0.178355517094, -0.207219547139], [0.103045079419], [-0.029725919516, 0.0], [0.0, 0.257612698547]],
    ),
    "OpenRLHF dual_clip, verl vanilla token-mean": (
        DUAL, {**TOKENS, "ceiling": 1.5}, -0.224675983749,
        [[0.0, -0.178355517094, -0.207219547139], [0.0], [-0.029725919516, 0.0], [0.0, 0.0]],
    ),
    "verl vanilla seq-mean-token-mean": (
        DUAL, {"ceiling": 1.5, "policy.reduce": "sequence_mean"}, 0.072599035683,
        [[0.0, -0.118903677666, -0.138146364299], [0.0], [-0.029725919367, 0.0], [0.0, 0.0]],
    ),
    "verl vanilla seq-mean-token-sum": (
        DUAL, {"ceiling": 1.5, "policy.reduce": "sequence_sum"}, -0.449351967497,
        [[0.0, -0.356711034188, -0.414439094278], [0.0], [-0.059451839031, 0.0], [0.0, 0.0]],
    ),
    "OpenRLHF gspo, verl gspo": (
        load("online/gspo"), {"low": 0.1, "high": 0.1}, 0.070206068667,
        [[0.0, 0.0, 0.0], [0.206090156777], [0.0, 0.0], [0.172682955086, 0.172682955086]],
    ),
    "verl sapo": (
        load("online/sapo"), {}, 0.034165343051,
        [[-0.163672624206, -0.118833000535, -0.137765060881], [0.183918977101], [-0.029708250084, -0.040918155983],
         [0.113635842928, 0.229898722526]],
    ),
    "verl geo_mean": (
        load("online/gmpo"), {"low": 0.1, "high": 0.2}, 0.112821739214,
        [[0.0, -0.135863005247, -0.135863005247], [0.206090153685], [-0.033683879366, 0.0], [0.0, 0.190844178863]],
    ),
    "verl cispo without its lower bound": (
        load("online/cispo"), {"cap": 1.2}, 0.26490583879,
        [[-0.225, -0.178355517094, -0.207219547139], [0.075], [-0.029725919516, -0.0375], [0.115752846982, 0.1875]],
    ),
}  # fmt: skip


@pytest.mark.paper("000:[41]", "sheng2024sf5")
@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_the_policy(name):
    method, settings, loss, gradient = LOSSES[name]
    advantage = [[a] * n for a, n in zip(ADVANTAGE, SIZES, strict=True)]
    one = step(given(method, **settings), *answers(advantage=advantage), max_tokens=8)
    assert one.metrics["loss"] == pytest.approx(loss, **CLOSE)
    assert flat(one.gradient("logp")) == pytest.approx(flat(gradient), **CLOSE)


@pytest.mark.paper("000:[41]")
@pytest.mark.parametrize(
    ("kind", "settings", "loss", "gradient"),
    [
        ("tis", {"cap": 1.1}, -0.204668871123,
         [[0.0, -0.1875, -0.227941501853], [0.113349587361], [-0.025585336034, 0.0], [0.0, 0.245048778983]]),
        ("icepop", {"banded_importance.low": 0.9, "banded_importance.high": 1.2}, 0.049390804427,
         [[0.0, -0.1875, 0.0], [0.113882425024], [0.0, 0.0], [0.0, 0.245048778983]]),
    ],
)  # fmt: skip
def test_corrections_for_the_sampler(kind, settings, loss, gradient):
    """OpenRLHF's tis has a lower bound as well, 0.5 by default; no weight here is below it."""
    method = given(corrected(GRPO, kind, older=False), **TOKENS, **settings)
    advantage = [[a] * n for a, n in zip(ADVANTAGE, SIZES, strict=True)]
    one = step(method, *answers(advantage=advantage))
    assert one.metrics["loss"] == pytest.approx(loss, **CLOSE)
    assert flat(one.gradient("logp")) == pytest.approx(flat(gradient), **CLOSE)


@pytest.mark.paper("000:[41]", "sheng2024sf5")
def test_the_loss_of_the_critic():
    """OpenRLHF's ValueLoss with value_clip 0.2 and verl's compute_value_loss."""
    critic = Term(clipped_value, 1.0, TOKEN_MEAN)
    ppo = load("online/ppo")
    derived = {name: d for name, d in ppo.derived.items() if name == "nothing"}
    method = variant(ppo, loss=without(ppo.loss, "policy", "value") | {"value": critic}, derived=derived, metrics={})
    rows = [
        answer(logp=[-1.0] * n, value=v, old_value=o, returns=[r] * n, reward=0.0, group=0, author=0, ended=True)
        for n, v, o, r in zip(
            SIZES,
            ([0.2, 0.5, -0.1], [0.4], [0.9, 1.4], [-0.3, 0.1]),
            ([0.1, 0.9, -0.2], [0.4], [0.3, 1.5], [-0.2, 0.6]),
            (1.0, 0.0, 2.0, -1.0),
            strict=True,
        )
    ]
    one = step(configure(method, {"passes": 1}), *rows)
    assert one.metrics["loss"] == pytest.approx(0.4575, **CLOSE)
    assert flat(one.gradient("value")) == pytest.approx(
        [-0.1, -0.0625, -0.1375, 0.05, 0.0, -0.075, 0.0875, 0.0], **CLOSE
    )


@pytest.mark.paper("000:[41]")
@pytest.mark.parametrize(
    ("path", "settings", "loss", "gradient"),
    [
        ("preference/dpo", {"beta": 0.3}, 0.574002412745, [-0.063833622478, -0.067153813564]),
        ("preference/dpo", {"beta": 0.3, "smoothing": 0.1}, 0.599502412745, [-0.048833622478, -0.052153813564]),
        ("preference/ipo", {"tau": 0.3, "aggregate": "sum"}, 0.689444444444, [-0.666666666667, -0.966666666667]),
    ],
)
def test_losses_on_pairs(path, settings, loss, gradient):
    logp, reference = (-3.0, -2.5, -4.0, -6.0), (-3.5, -2.0, -4.2, -5.5)
    rows = [answer(logp=[p / 2] * 2, ref_logp=[r / 2] * 2) for p, r in zip(logp, reference, strict=True)]
    one = step(configure(load(path), settings), *rows, pairs=[(0, 1), (2, 3)])
    assert one.metrics["loss"] == pytest.approx(loss, **CLOSE)
    each = [g for first in gradient for side in (first, -first) for g in (side, side)]
    assert flat(one.gradient("logp")) == pytest.approx(each, **CLOSE)


@pytest.mark.paper("000:[41]")
def test_the_loss_of_a_reward_model():
    """PairWiseLoss and LogExpLoss, which are the same."""
    rows = [answer(score=x) for x in (0.5, 0.1, -0.2, 0.7)]
    one = step(load("reward/bradley_terry"), *rows, pairs=[(0, 1), (2, 3)])
    assert one.metrics["loss"] == pytest.approx(0.877084563566, **CLOSE)
    assert one.gradient("score") == pytest.approx(
        [-0.200656169944, 0.200656169944, -0.355474751313, 0.355474751313], **CLOSE
    )


@pytest.mark.paper("000:[41]", "sheng2024sf5")
@pytest.mark.parametrize(
    ("path", "settings", "expected"),
    [
        ("online/grpo", {}, [0.707105781188, -0.707105781188, 0.707106447853, -0.707106447853]),  # verl: eps 1e-6
        ("online/grpo", {"eps": 1e-9}, [0.70710678] * 1 + [-0.70710678, 0.70710678, -0.70710678]),  # group_norm
        ("online/dr_grpo", {}, [0.5, -0.5, 1.5, -1.5]),
        ("online/rloo", {"kl_weight": 0.0}, [1.0, -1.0, 3.0, -3.0]),
        ("online/opo", {}, [0.25, -0.75, 1.5, -1.5]),
    ],
)
def test_advantages(path, settings, expected):
    one = step(configure(load(path), settings), *answers(), max_tokens=8)
    assert [row[0] for row in one.value("advantage")] == pytest.approx(expected, rel=3e-8)
