"""Coefficients that follow what they measure: direction, bounds, and nothing to measure."""

import math

import pytest
import torch

from posttrain.core.rows import Rows
from posttrain.formulas.credit.controllers import adaptive_kl, doubling_kl, inverse, multiplier

pytestmark = pytest.mark.usefixtures("float64")

ROWS = Rows(torch.arange(4), torch.tensor([True, True, True, False]), 4)  # four rows of one token, one untrained
NOTHING = Rows(torch.arange(4), torch.zeros(4, dtype=torch.bool), 4)
ZERO = torch.zeros(4, dtype=torch.float64)


def far(kl):
    return torch.tensor([kl, kl, kl, 1e6])


class TestAdaptiveKl:
    def test_the_batch_sees_the_coefficient_of_before(self):
        state, used = adaptive_kl(None, far(12.0), ZERO, ROWS, start=0.1, target=6.0, horizon=100.0)
        assert float(used) == 0.1
        assert state["weight"] == pytest.approx(0.1 * (1 + 0.2 * 3 / 100))
        assert float(adaptive_kl(state, far(0.0), ZERO, ROWS)[1]) == state["weight"]

    @pytest.mark.parametrize(("kl", "error"), [(6.0, 0), (6.6, 0.1), (1e6, 0.2), (0.0, -0.2), (-50.0, -0.2)])
    def test_its_step_is_bounded(self, kl, error):
        state, _ = adaptive_kl({"weight": 1.0}, far(kl), ZERO, ROWS, target=6.0, horizon=3.0)
        assert state["weight"] == pytest.approx(1 + error)

    def test_without_trained_rows_nothing_moves(self):
        assert adaptive_kl({"weight": 0.3}, far(9.0), ZERO, NOTHING)[0] == {"weight": 0.3}


class TestDoublingKl:
    @pytest.mark.parametrize(("kl", "factor"), [(0.016, 2), (0.0149, 1), (0.0067, 1), (0.0066, 0.5), (-1.0, 0.5)])
    def test_doubles_and_halves_outside_a_band(self, kl, factor):
        state, now = doubling_kl({"weight": 3.0}, ZERO, far(kl), ROWS, target=0.01)
        assert state["weight"] == float(now) == 3.0 * factor

    def test_without_trained_tokens_nothing_moves(self):
        assert doubling_kl({"weight": 3.0}, ZERO, far(9.0), NOTHING)[0] == {"weight": 3.0}


class TestMultiplier:
    cost = torch.tensor([1.0, 2.0, 3.0, 999.0]).double()

    def test_grows_while_costs_exceed_the_budget(self):
        state, now = multiplier(None, self.cost, ROWS, start=2.0, rate=0.1)
        assert float(now) == pytest.approx(2 * math.exp(0.1 * 2.0 * 2.0))
        assert state == {"lambda": float(now), "cost": 2.0}

    def test_falls_below_it_and_stays_positive(self):
        state = {"lambda": 1.0, "cost": -1.0}
        for _ in range(200):
            state, now = multiplier(state, -self.cost, ROWS)
        assert 0 < float(now) < 0.2

    def test_a_budget_is_added_to_the_costs(self):
        assert float(multiplier(None, self.cost, ROWS, budget=-2.0)[1]) == pytest.approx(1.0)

    @pytest.mark.parametrize(("scale", "bound"), [(1e9, 5.0), (-1e9, 0.0)])
    def test_is_bounded(self, scale, bound):
        state, now = multiplier(None, scale * self.cost, ROWS, largest=5.0)
        assert float(now) == pytest.approx(bound)
        assert state["lambda"] > 0
        assert math.isfinite(multiplier(state, scale * self.cost, ROWS)[0]["lambda"])

    def test_costs_are_averaged_over_batches(self):
        state, _ = multiplier({"lambda": 1.0, "cost": 10.0}, self.cost, ROWS, decay=0.75)
        assert state["cost"] == pytest.approx(0.75 * 10 + 0.25 * 2)

    def test_without_trained_rows_nothing_moves(self):
        assert multiplier({"lambda": 3.0, "cost": 1.0}, self.cost, NOTHING) == (
            {"lambda": 3.0, "cost": 1.0},
            torch.tensor(3.0),
        )


def test_inverse_of_the_limit_of_tokens():
    assert float(inverse(8)) == 0.125
