import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import SEQUENCE_MEAN, Term, variant, without
from posttrain.formulas.losses.penalties import kl_k1, kl_k2
from tests.harness.numbers import answer, step
from tests.methods.online.group import REWARDS, at_ratio, flat, group, per_answer

pytestmark = pytest.mark.paper("002:DeepSeek-V2 / GRPO", "003:DeepSeek-R1")

GRPO = load("online/grpo")


def advantages(rewards, **settings):
    answers = group(rewards, (1,) * len(rewards))
    return per_answer(step(configure(GRPO, settings), *answers).value("advantage"))


def test_golden_clip():
    up, down = at_ratio(GRPO, [math.log(1.5)], 1.0), at_ratio(GRPO, [math.log(1.5)], -1.0)
    assert up.metrics["loss"] == pytest.approx(-1.2)
    assert up.gradient("logp")[0] == [0]
    assert up.metrics["clip_ratio/region_mean"] == 1
    assert down.metrics["loss"] == pytest.approx(1.5)
    assert down.gradient("logp")[0] == pytest.approx([1.5])
    assert down.metrics["clip_ratio/region_mean"] == 0
    low = at_ratio(GRPO, [math.log(0.5)], -1.0)
    assert low.metrics["loss"] == pytest.approx(0.8)
    assert low.metrics["clip_ratio/region_mean"] == 1
    assert at_ratio(GRPO, [math.log(0.5)], 1.0).metrics["loss"] == pytest.approx(-0.5)


def apart(method):
    """One answer whose log-prob is -1 and whose reference says -1.5."""
    one = answer(logp=[-1.0], old_logp=[-1.0], ref_logp=[-1.5], rollout_logp=[-1.2], entropy=[0.7], reward=1.0, group=0)
    return step(method, one)


@pytest.mark.parametrize(("estimator", "value", "slope"), [(kl_k1, 0.5, 1.0), (kl_k2, 0.125, 0.5)])
def test_golden_other_estimators(estimator, value, slope):
    one = apart(variant(GRPO, loss=GRPO.loss | {"kl": Term(estimator, 1.0, SEQUENCE_MEAN)}))
    assert one.metrics["loss/kl"] == pytest.approx(value)
    assert one.gradient("logp")[0] == pytest.approx([slope])


def test_affine_rewards_give_the_same_advantages():
    plain = advantages(REWARDS, eps=0.0)
    assert advantages([5 + 3 * r for r in REWARDS], eps=0.0) == pytest.approx(plain, abs=1e-14)
    assert advantages([5 - 3 * r for r in REWARDS], eps=0.0) == pytest.approx([-a for a in plain], abs=1e-14)


def test_binary_rewards_depend_on_the_success_rate_alone():
    got = advantages([1.0, 0.0, 0.0, 0.0], ddof=0, eps=0.0)
    assert got == pytest.approx([math.sqrt(3)] + [-math.sqrt(1 / 3)] * 3, abs=1e-14)


@pytest.mark.parametrize("rewards", [[2.0] * 4, [0.1 + 0.2] * 3, [7.0]])
def test_a_group_without_contrast_teaches_nothing(rewards):
    assert advantages(rewards) == [0] * len(rewards)


def test_groups_do_not_mix():
    one = step(GRPO, *group(), *group([10 * r for r in REWARDS], prompt=7))
    got = per_answer(one.value("advantage"))
    assert got[:4] == pytest.approx(got[4:], abs=2e-6)


def test_on_policy_and_without_kl_it_is_reinforce_with_its_advantages():
    free = variant(GRPO, loss=without(GRPO.loss, "kl"))
    given = variant(load("online/reinforce"), derived={}, metrics={})
    advantage = step(free, *group()).value("advantage")
    rows = [answer(logp=[-1.0] * len(a), advantage=[x / len(a) for x in a]) for a in advantage]
    mine, theirs = step(free, *group()).gradient("logp"), step(given, *rows).gradient("logp")
    assert flat(mine) == pytest.approx(flat(theirs), abs=1e-15)
