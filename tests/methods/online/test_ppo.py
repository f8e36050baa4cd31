import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import variant
from tests.harness.numbers import answer, step
from tests.methods.online.group import at_ratio, flat, group

pytestmark = pytest.mark.paper("zheng2023c98", "zheng2024voy")

PPO, GRPO = load("online/ppo"), load("online/grpo")
VALUES = [0.5, 0.4, 0.3]


def three_tokens(**settings):
    """Reward 1 at the end of three tokens, on the reference."""
    same = {n: [-1.0] * 3 for n in ("logp", "old_logp", "ref_logp", "rollout_logp")}
    return step(configure(PPO, settings), answer(old_value=VALUES, value=VALUES, reward=1.0, **same))


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
