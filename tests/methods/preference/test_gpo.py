import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.parts import PartError
from posttrain.formulas.losses.pairs import convex
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair

pytestmark = pytest.mark.paper("002:GPO")

GPO = load("preference/gpo")
SHAPES = ("logistic", "hinge", "squared", "exponential", "truncated_square", "savage")


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


@pytest.mark.parametrize("shape", SHAPES)
def test_a_wrong_order_costs_more(shape):
    gpo = configure(GPO, {"shape": shape})
    assert on_pair(gpo, REJECTED, CHOSEN).metrics["loss"] > on_pair(gpo).metrics["loss"]


def test_an_unknown_shape_is_named():
    with pytest.raises(PartError, match="must be one of logistic, hinge"):
        configure(GPO, {"shape": "round"})
