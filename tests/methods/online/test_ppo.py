import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import variant
from tests.harness.numbers import answer, step
from tests.methods.online.group import at_ratio, flat, group

PPO, GRPO = load("online/ppo"), load("online/grpo")
VALUES = [0.5, 0.4, 0.3]


def three_tokens(**settings):
    """Reward 1 at the end of three tokens, on the reference."""
    same = {n: [-1.0] * 3 for n in ("logp", "old_logp", "ref_logp", "rollout_logp")}
    return step(configure(PPO, settings), answer(old_value=VALUES, value=VALUES, reward=1.0, **same))


@pytest.mark.parametrize(
    ("lam", "advantage"), [(0.95, [0.43675, 0.565, 0.7]), (1.0, [0.5, 0.6, 0.7]), (0.0, [-0.1, -0.1, 0.7])]
)
def test_golden_gae_and_returns(lam, advantage):
    one = three_tokens(lam=lam)
    assert one.value("token_reward")[0] == [0, 0, 1]
    assert one.value("credit")[0] == pytest.approx(advantage)
    assert one.value("returns")[0] == pytest.approx([a + v for a, v in zip(advantage, VALUES, strict=True)])


def test_golden_discount():
    """gamma 0.5, lambda 1: the discounted rewards minus the value."""
    assert three_tokens(lam=1.0, gamma=0.5).value("credit")[0] == pytest.approx([0.25 - 0.5, 0.5 - 0.4, 1 - 0.3])


def test_golden_whitened_advantage_has_mean_0_and_biased_variance_1():
    expected = [-0.70710678, -0.70710678, 1.41421356]
    assert three_tokens(lam=0.0).value("advantage")[0] == pytest.approx(expected, abs=1e-7)


def test_golden_eps_is_added_to_the_standard_deviation():
    advantage = three_tokens(lam=0.0, eps=1.0).value("advantage")[0]
    assert advantage == pytest.approx([-0.193640, -0.193640, 0.387281], abs=1e-6)


def test_golden_kl_is_part_of_the_reward():
    row = answer(
        old_value=[0.0] * 2,
        value=[0.0] * 2,
        reward=1.0,
        logp=[-1.0] * 2,
        old_logp=[-1.0] * 2,
        ref_logp=[-1.2, -1.4],
        rollout_logp=[-1.0, -0.9],
    )
    one = step(PPO, row)
    assert one.value("token_reward")[0] == pytest.approx([-0.01, 0.98])
    assert one.metrics["kl"] == pytest.approx(0.3)
    assert one.metrics["sampling/logp_difference"] == pytest.approx(0.05)


def test_golden_clip():
    up, down = at_ratio(PPO, [math.log(1.5)], 1.0), at_ratio(PPO, [math.log(1.5)], -1.0)
    assert (up.metrics["loss"], up.gradient("logp")[0]) == (pytest.approx(-1.2), [0])
    assert (down.metrics["loss"], down.gradient("logp")[0]) == (pytest.approx(1.5), pytest.approx([1.5]))


@pytest.mark.parametrize(
    ("value", "target", "loss", "slope"), [(0.9, 0.0, 0.405, 0.9), (0.9, 1.0, 0.045, 0.0), (0.6, 1.0, 0.08, -0.4)]
)
def test_golden_value_loss(value, target, loss, slope):
    """The old value is 0.5 and the clip 0.2: the worse of the two errors counts."""
    critic = variant(PPO, loss={"value": PPO.loss["value"]}, derived={}, metrics={}, passes=1)
    one = step(critic, answer(value=[value], old_value=[0.5], returns=[target]))
    assert one.metrics["loss/value"] == pytest.approx(loss)
    assert one.metrics["loss"] == pytest.approx(0.1 * loss)
    assert one.gradient("value")[0] == pytest.approx([0.1 * slope])


def test_golden_explained_variance():
    """Values 0 and 1 of returns 0 and 4: variances of error and returns 9/4 and 4."""
    rows = [group([r], [1], value=v, old_value=v)[0] for v, r in ((0.0, 0.0), (1.0, 4.0))]
    assert step(PPO, *rows).metrics["value/explained_var"] == pytest.approx(1 - 9 / 16)


def test_lambda_1_is_return_minus_value():
    one = three_tokens(lam=1.0)
    assert one.value("credit")[0] == pytest.approx([1 - v for v in VALUES])


def test_the_policy_term_is_grpos_clip_with_another_mean():
    same = configure(PPO, {"policy.reduce": "sequence_mean"})
    assert same.loss["policy"] == GRPO.loss["policy"]


def test_a_constant_added_to_rewards_and_values_changes_no_advantage():
    plain = step(PPO, *group(lengths=(1, 2, 1, 2))).value("advantage")
    moved = step(PPO, *group([r + 5 for r in (1.0, 0.0, 0.0, 3.0)], (1, 2, 1, 2), old_value=5.0)).value("advantage")
    assert flat(moved) == pytest.approx(flat(plain), abs=1e-12)
