"""Baselines: zero where there is nothing to compare with, and blind to opponents."""

import pytest
import torch

from posttrain.core.rows import Rows
from posttrain.formulas.credit.baselines import (
    group_centre,
    group_standardise,
    leave_one_out,
    minus_baseline,
    minus_greedy,
    running_mean,
    win_minus_kl,
)

pytestmark = pytest.mark.usefixtures("float64")

# Six rows of two tokens, the second of which is trained, except in row 3 (an opponent's).
TRAINED = torch.tensor([1, 1, 1, 0, 1, 1]).bool()
MASK = torch.stack([torch.zeros(6, dtype=torch.bool), TRAINED], 1).reshape(-1)
ROWS = Rows(torch.arange(6).repeat_interleave(2), MASK, 6)
GROUP = torch.tensor([1, 2, 1, 1, 2, 3])
REWARD = torch.tensor([1.0, 4.0, 3.0, 50.0, 4.0, 7.0]).double()


def by_row(x):
    return x.reshape(6, 2)[:, 1].tolist()


class TestGroups:
    def test_standardised(self):
        made = by_row(group_standardise(REWARD, GROUP, ROWS, eps=0.0))
        assert made == pytest.approx([-(0.5**0.5), 0, 0.5**0.5, 0, 0, 0])

    def test_standardised_does_not_see_scale_or_shift(self):
        one, two = (group_standardise(r, GROUP, ROWS, eps=1e-9) for r in (REWARD, 10 * REWARD - 3))
        assert torch.allclose(one, two, atol=1e-7)

    @pytest.mark.fault("N4", "N5")
    def test_equal_rewards_and_a_group_of_one_have_no_advantage(self):
        """Not even when rounding gives equal rewards a spread: a quotient of two errors would be of size one."""
        for credit in (group_standardise, group_centre):
            made = by_row(credit(REWARD / 3 + 0.1, GROUP, ROWS))
            assert made[1] == pytest.approx(0, abs=1e-12)
            assert made[4] == pytest.approx(0, abs=1e-12)
            assert made[5] == 0

    def test_centred(self):
        assert by_row(group_centre(REWARD, GROUP, ROWS)) == [-1, 0, 1, 0, 0, 0]

    def test_leave_one_out(self):
        assert by_row(leave_one_out(REWARD, GROUP, ROWS)) == pytest.approx([-2, 0, 2, 0, 0, 0])

    def test_opponents_do_not_count(self):
        other = REWARD.clone()
        other[3] = -1000.0
        for credit in (group_standardise, group_centre, leave_one_out):
            assert torch.equal(credit(REWARD, GROUP, ROWS), credit(other, GROUP, ROWS))


def test_the_greedy_answer_of_the_same_prompt_is_the_baseline():
    author = torch.tensor([0, 0, 0, 1, 1, 0])
    made = by_row(minus_greedy(torch.full((12,), 10.0), REWARD, GROUP, author, ROWS))
    assert made == [10 - 50, 10 - 4, 10 - 50, 0, 10 - 4, 10]


def test_winning_half_the_time_at_no_distance_is_worth_nothing():
    zero = torch.zeros(12)
    assert by_row(win_minus_kl(torch.full((6,), 0.5), zero, zero, ROWS)) == [0] * 6
    assert by_row(win_minus_kl(torch.ones(6), zero + 2, zero, ROWS, tau=0.1)) == pytest.approx(
        [0.3, 0.3, 0.3, 0, 0.3, 0.3]
    )


class TestRunningMean:
    def test_never_sees_its_own_batch(self):
        state, first = running_mean(None, REWARD, ROWS)
        _, second = running_mean(state, 1000 * REWARD, ROWS)
        assert float(first) == 0
        assert float(second) == pytest.approx(19 / 5)

    def test_is_a_weighted_mean_of_the_past(self):
        state = None
        for level in (1.0, 2.0, 4.0):
            state, _ = running_mean(state, torch.full((6,), level), ROWS, decay=0.5)
        _, now = running_mean(state, REWARD, ROWS, decay=0.5)
        assert float(now) == pytest.approx((0.25 * 1 + 0.5 * 2 + 1 * 4) / 1.75)

    def test_does_not_change_the_state_that_it_is_given(self):
        state = {"mean": 1.0, "weight": 0.5}
        running_mean(state, REWARD, ROWS)
        assert state == {"mean": 1.0, "weight": 0.5}

    def test_is_taken_off_the_trained_tokens_only(self):
        assert by_row(minus_baseline(torch.full((12,), 3.0), torch.tensor(1.0), ROWS)) == [2, 2, 2, 0, 2, 2]
