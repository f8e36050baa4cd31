"""From the reward of a row to the reward of each token: nothing is lost on the way."""

import pytest
import torch

from posttrain.core.rows import Rows
from posttrain.formulas.credit.shaping import (
    reward_minus_fixed_kl,
    reward_minus_kl,
    row_reward_minus_kl,
    soft_overlong,
    terminal,
)

pytestmark = pytest.mark.usefixtures("float64")

MASK = torch.tensor([0, 1, 0, 1, 0, 1, 1, 1]).bool()
ROWS = Rows(torch.tensor([0, 0, 0, 0, 1, 1, 1, 1]), MASK, 2)
OLD = torch.tensor([9.0, -1, 9, -2, 9, -1, -3, -1]).double()
REF = torch.tensor([9.0, -2, 9, -2, 9, -2, -2, -3]).double()
REWARD = torch.tensor([5.0, 7.0]).double()
KL = torch.tensor([1.0, 2.0])  # of the trained tokens


def test_the_rewards_of_the_tokens_add_up_to_that_of_the_row():
    expected = REWARD - 0.1 * KL
    assert torch.allclose(ROWS.sum(reward_minus_fixed_kl(REWARD, OLD, REF, ROWS, kl_weight=0.1)), expected)
    assert torch.allclose(ROWS.sum(reward_minus_kl(REWARD, OLD, REF, torch.tensor(0.1), ROWS)), expected)
    assert torch.allclose(row_reward_minus_kl(REWARD, OLD, REF, ROWS, kl_weight=0.1), expected)
    assert ROWS.sum(terminal(REWARD, ROWS)).tolist() == REWARD.tolist()


def test_a_cost_grows_with_the_distance():
    made = reward_minus_fixed_kl(REWARD, OLD, REF, ROWS, kl_weight=0.1, sign=-1.0)
    assert torch.allclose(ROWS.sum(made), REWARD + 0.1 * KL)


def test_the_reward_stands_at_the_last_trained_token():
    made = reward_minus_fixed_kl(REWARD, OLD, REF, ROWS, kl_weight=0.1)
    assert made[MASK].tolist() == pytest.approx([-0.1, 5.0, -0.1, 0.1, 7.0 - 0.2])


@pytest.mark.parametrize(("limit", "penalty"), [(10, 0), (3.75, 0), (3.4, 0.41176470588), (3, 1), (2, 1)])
def test_an_answer_near_the_limit_loses_up_to_one(limit, penalty):
    """Three tokens; the slope begins at 80% of the limit."""
    made = soft_overlong(REWARD, ROWS, limit, buffer=0.2)
    assert float(7.0 - made[1]) == pytest.approx(penalty)
