"""A reference that follows the policy."""

from __future__ import annotations

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.parts import PartError
from posttrain.core.plan import PlanError, plan
from posttrain.core.weights import Average

RLOO, SFT = load("online/rloo"), load("imitation/sft")

pytestmark = pytest.mark.paper("000:[14]")


def test_the_reference_becomes_a_moving_average_of_the_policy():
    """μ of the way after every step is a decay of 1 - μ; μ = 0 is the method itself."""
    assert dict(configure(RLOO, {"moving_reference": 0.01}).averages) == {"reference": Average("policy", 0.99)}
    assert configure(RLOO, {"moving_reference": 0}) is RLOO
    assert configure(RLOO, {"moving_reference": 1}).averages["reference"].decay == 0.0


def test_it_is_planned_as_the_reference_and_trained_by_nothing():
    made = plan(configure(RLOO, {"moving_reference": 0.5}))
    assert "reference" in made.loaded
    assert made.trained == ("policy",)


@pytest.mark.parametrize("rate", [-0.1, 1.5, True, "fast"])
def test_a_rate_is_a_number_from_0_to_1(rate):
    with pytest.raises(PartError, match=r"method.moving_reference must be a number from 0"):
        configure(RLOO, {"moving_reference": rate})


def test_a_method_without_a_reference_and_a_model_without_a_reader_are_refused():
    with pytest.raises(PartError, match="sft reads no reference"):
        configure(SFT, {"moving_reference": 0.1})
    with pytest.raises(PlanError, match=r"moving average of policy, so models.reference would not be read"):
        plan(configure(RLOO, {"moving_reference": 0.1}), given={"reference"})
