"""Advantages: what they become at the ends of their settings, and what stays the same."""

import pytest
import torch

from posttrain.core.rows import Rows
from posttrain.formulas.credit.advantages import add_value, at_every_token, constrained, gae, reward_to_go, whiten

pytestmark = pytest.mark.usefixtures("float64")

# Row 0: three trained tokens around a tool's. Row 1: one. Row 2: none.
MASK = torch.tensor([0, 1, 1, 0, 1, 0, 1, 0, 0]).bool()
ROWS = Rows(torch.tensor([0, 0, 0, 0, 0, 1, 1, 2, 2]), MASK, 3)
REWARD = torch.tensor([9.0, 0.5, -1.0, 9.0, 2.0, 9.0, 3.0, 9.0, 9.0]).double()
VALUE = torch.tensor([9.0, 0.1, 0.2, 9.0, 0.3, 9.0, 0.4, 9.0, 9.0]).double()


class TestGae:
    def test_with_lambda_one_it_is_return_minus_value(self):
        for gamma in (1.0, 0.9):
            expected = torch.where(MASK, reward_to_go(REWARD, ROWS, gamma=gamma) - VALUE, 0)
            assert torch.allclose(gae(REWARD, VALUE, ROWS, gamma=gamma, lam=1.0), expected)

    def test_with_lambda_zero_it_is_the_td_error(self):
        made = gae(REWARD, VALUE, ROWS, gamma=0.5, lam=0.0)
        assert made.tolist() == pytest.approx([0, 0.5 + 0.1 - 0.1, -1 + 0.15 - 0.2, 0, 2 - 0.3, 0, 3 - 0.4, 0, 0])

    def test_the_true_value_leaves_no_advantage(self):
        value = reward_to_go(REWARD, ROWS, gamma=0.9)
        assert torch.allclose(gae(REWARD, value, ROWS, gamma=0.9, lam=0.7), torch.zeros(9), atol=1e-12)

    def test_a_tool_token_is_not_a_step(self):
        """Removing the tokens that nobody chose changes nothing."""
        keep = MASK | (ROWS.index == 2)
        short = Rows(ROWS.index[keep], MASK[keep], 3)
        whole = gae(REWARD, VALUE, ROWS, gamma=0.9, lam=0.8)
        assert torch.allclose(whole[keep], gae(REWARD[keep], VALUE[keep], short, gamma=0.9, lam=0.8))


class TestWhiten:
    def test_mean_zero_and_variance_one_over_the_trained_tokens(self):
        x = whiten(REWARD, ROWS)
        assert float(x[MASK].mean()) == pytest.approx(0)
        assert float(x[MASK].var(correction=0)) == pytest.approx(1, rel=1e-6)
        assert (x[~MASK] == 0).all()

    def test_does_not_see_scale_or_shift(self):
        assert torch.allclose(whiten(3 * REWARD + 5, ROWS), whiten(REWARD, ROWS), atol=1e-7)

    @pytest.mark.fault("N4")
    def test_equal_numbers_become_zero(self):
        assert (whiten(torch.full((9,), 2.0), ROWS) == 0).all()

    def test_nothing_trained(self):
        nothing = Rows(ROWS.index, torch.zeros(9, dtype=torch.bool), 3)
        assert (whiten(REWARD, nothing) == 0).all()


def test_returns_and_rows():
    assert add_value(REWARD, VALUE).tolist() == (REWARD + VALUE).tolist()
    assert at_every_token(torch.tensor([1.0, 2.0, 3.0]), ROWS).tolist() == [0, 1, 1, 0, 1, 0, 2, 0, 0]


def test_constrained_goes_from_reward_to_cost():
    a, c = torch.tensor([2.0]), torch.tensor([1.0])
    assert float(constrained(a, c, torch.tensor(0.0))) == 2
    assert float(constrained(a, c, torch.tensor(1.0))) == 0.5
    assert float(constrained(a, c, torch.tensor(1e9))) == pytest.approx(-1)
