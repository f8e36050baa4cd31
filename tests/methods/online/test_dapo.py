import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import SEQUENCE_MEAN, variant, without
from posttrain.formulas.credit.baselines import group_standardise
from tests.harness.numbers import answer, step
from tests.methods.online.group import at_ratio, group, only_policy

DAPO, GRPO = load("online/dapo"), load("online/grpo")


def test_golden_clip_higher():
    up = at_ratio(DAPO, [math.log(1.5)], 1.0)
    assert up.metrics["loss"] == pytest.approx(-1.28)
    assert at_ratio(DAPO, [math.log(0.5)], -1.0).metrics["loss"] == pytest.approx(0.8)
    inside = at_ratio(DAPO, [math.log(1.25)], 1.0)
    assert inside.metrics["loss"] == pytest.approx(-1.25)
    assert inside.metrics["clip_ratio/region_mean"] == 0
    assert up.metrics["clip_ratio/region_mean"] == 1


def test_with_grpos_clip_mean_and_reward_it_is_grpo_without_kl():
    same = variant(
        configure(DAPO, {"high": 0.2, "policy.reduce": "sequence_mean"}), derived={"advantage": group_standardise}
    )
    free = variant(GRPO, loss=without(GRPO.loss, "kl"))
    ours, theirs = step(same, *group(), max_tokens=8), step(free, *group())
    assert ours.gradient("logp") == theirs.gradient("logp")
    assert same.loss["policy"].reduce is SEQUENCE_MEAN


def test_splitting_an_answer_of_equal_tokens_in_two_changes_nothing():
    whole = [answer(logp=[-1.0] * 4, old_logp=[-1.1] * 4, advantage=[0.5] * 4)]
    halves = [answer(logp=[-1.0] * 2, old_logp=[-1.1] * 2, advantage=[0.5] * 2) for _ in range(2)]
    method = only_policy(DAPO)
    assert step(method, *whole).metrics["loss"] == pytest.approx(step(method, *halves).metrics["loss"], abs=1e-14)


def test_no_reference_model_is_loaded():
    from posttrain.core.plan import plan

    assert "reference" not in plan(DAPO).loaded
