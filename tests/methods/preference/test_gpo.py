import math

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.parts import PartError
from posttrain.formulas.losses.pairs import convex
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair

GPO = load("preference/gpo")
VALUES = {
    "logistic": 0.61634377,
    "hinge": 0.84,
    "squared": 0.7056,
    "exponential": 0.85214379,
    "truncated_square": 0.7056,
    "savage": 0.21167831,
}
SLOPES = {
    "logistic": -0.4600850,
    "hinge": -1,
    "squared": -1.68,
    "exponential": -0.85214379,
    "truncated_square": -1.68,
    "savage": -2 * 0.4600850**2 * 0.5399150,
}


@pytest.mark.parametrize("shape", VALUES)
def test_golden(shape):
    one = on_pair(configure(GPO, {"shape": shape}))
    assert one.metrics["loss"] == pytest.approx(VALUES[shape], abs=1e-8)
    assert one.gradient("logp")[0] == pytest.approx([0.1 * SLOPES[shape]] * 5, rel=1e-6)
    assert one.gradient("logp")[1] == pytest.approx([-0.1 * SLOPES[shape]] * 4, rel=1e-6)


@pytest.mark.parametrize("shape", VALUES)
def test_golden_beyond_the_margin(shape):
    z = 2.0
    value = {
        "logistic": math.log1p(math.exp(-z)),
        "hinge": 0,
        "squared": 1,
        "exponential": math.exp(-z),
        "truncated_square": 0,
        "savage": 1 / (1 + math.exp(z)) ** 2,
    }[shape]
    assert on_pair(configure(GPO, {"shape": shape, "beta": z / 1.6})).metrics["loss"] == pytest.approx(value)


def test_logistic_is_dpo_and_squared_is_ipo_of_sums():
    assert on_pair(configure(GPO, {"shape": "logistic"})).metrics == on_pair(load("preference/dpo")).metrics
    tau = 0.05  # beta = 2 tau, and the loss is 4 tau^2 that of IPO
    assert on_pair(configure(GPO, {"shape": "squared"})).metrics["loss"] == pytest.approx(
        4 * tau**2 * (1.6 - 1 / (2 * tau)) ** 2
    )


@pytest.mark.parametrize(
    ("shape", "strength"), [("logistic", 0.5), ("exponential", 1), ("squared", 1), ("truncated_square", 1)]
)
def test_the_strength_near_zero_is_the_second_derivative_over_the_first(shape, strength):
    z = torch.zeros(1, requires_grad=True)
    (slope,) = torch.autograd.grad(convex(z, torch.zeros(1), beta=1.0, shape=shape), z, create_graph=True)
    (bend,) = torch.autograd.grad(slope, z)
    assert (bend / slope.abs()).item() == pytest.approx(strength)


@pytest.mark.parametrize("shape", VALUES)
def test_a_wrong_order_costs_more(shape):
    gpo = configure(GPO, {"shape": shape})
    assert on_pair(gpo, REJECTED, CHOSEN).metrics["loss"] > on_pair(gpo).metrics["loss"]


def test_an_unknown_shape_is_named():
    with pytest.raises(PartError, match="must be one of logistic, hinge"):
        configure(GPO, {"shape": "round"})
