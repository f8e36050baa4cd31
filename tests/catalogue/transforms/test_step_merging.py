"""Steps of the policy that are merged with what tuning had changed."""

from __future__ import annotations

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.parts import PartError
from posttrain.core.plan import PlanError, plan
from posttrain.core.weights import StepMerging

DPO = load("preference/dpo")


def test_settings_by_name_and_the_rule_alone():
    found = configure(DPO, {"step_merging.weight": 1e-5, "step_merging.rule": "ties", "step_merging.base": "mine"})
    assert dict(found.merged_steps) == {"policy": StepMerging("ties", 1e-5, base="mine")}
    assert dict(configure(DPO, {"step_merging": "dare"}).merged_steps) == {"policy": StepMerging()}


def test_both_ends_of_the_difference_are_loaded_unless_the_weight_is_0():
    merging = configure(DPO, {"step_merging.tuned": "reference"})
    assert plan(merging).loaded == ("base", "policy", "reference")
    assert plan(configure(merging, {"step_merging.weight": 0})).loaded == ("policy", "reference")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("step_merging.wieght", 1.0, r"no setting 'wieght' \(did you mean 'weight'\?\)"),
        ("step_merging", "slerp", "must be dare or ties"),
        ("step_merging.weight", 1.5, "from 0 to 1"),
        ("step_merging.density", 0, "above 0"),
        ("step_merging.base", 3, "must be a role"),
    ],
)
def test_what_cannot_be_is_refused(path, value, message):
    with pytest.raises(PartError, match=message):
        configure(DPO, {path: value})


def test_a_method_that_does_not_train_the_policy_has_no_such_steps():
    with pytest.raises(PlanError, match="steps of policy, which it does not train"):
        plan(configure(load("reward/bradley_terry"), {"step_merging": "dare"}))
