"""Credit for decisions: GAE over macro actions."""

import pytest
import torch

from posttrain.core.rows import Rows
from posttrain.formulas.credit.choices import gae_over_choices, whitened_choices


def chosen(count, *others):
    """Rows of two tokens, of which the second is trained, but in the rows `others`."""
    index = torch.arange(count).repeat_interleave(2)
    return Rows(index, (torch.arange(2 * count) % 2 == 1) & ~torch.isin(index, torch.tensor(others)), count)


def credit(reward, value, duration=None, conversation=None, moment=None, rows=None, **how):
    count = len(reward)
    told = (
        torch.tensor(x, dtype=torch.float64)
        for x in (
            reward,
            value,
            conversation or [0] * count,
            moment or list(range(count)),
            duration or [1] * count,
        )
    )
    return gae_over_choices(*told, rows or chosen(count), **how).tolist()


def test_two_actions_of_two_steps_are_four_steps():
    """With values that are the discounted ones of the steps between, where nothing is earned."""
    how = {"gamma": 0.9, "lam": 1.0}
    four = credit([0, 0, 0, 5.0], [1.0, 2.0, 3.0, 4.0], **how)
    assert credit([0, 0.9 * 5.0], [1.0, 3.0], [2, 2], **how) == pytest.approx([four[0], four[2]])


def test_by_hand():
    assert credit([0.0, 1.0], [0.5, 0.25], [2, 1], gamma=0.5, lam=0.5) == pytest.approx([-0.34375, 0.75])


def test_the_order_of_rows_and_the_other_episodes_do_not_matter():
    a, b = credit([1.0, 2.0, 3.0], [0.1, 0.2, 0.3]), credit([5.0, 6.0], [0.4, 0.5])
    mixed = credit(
        [3.0, 6.0, 1.0, 5.0, 2.0], [0.3, 0.5, 0.1, 0.4, 0.2], conversation=[8, 2, 8, 2, 8], moment=[2, 1, 0, 0, 1]
    )
    assert mixed == pytest.approx([a[2], b[1], a[0], b[0], a[1]])


def test_actions_that_were_not_taken_have_no_credit():
    alone = credit([1.0, 2.0], [0.1, 0.2])
    assert credit([1.0, 9.0, 2.0], [0.1, 9.0, 0.2], moment=[0, 0, 1], rows=chosen(3, 1)) == pytest.approx(
        [alone[0], 0.0, alone[1]]
    )
    assert credit([1.0], [1.0], rows=chosen(1, 0)) == [0.0]


def test_whitening_is_over_what_was_taken():
    x = torch.tensor([1.0, 9.0, 3.0])
    assert whitened_choices(x, chosen(3, 1)).tolist() == pytest.approx([-1.0, 0.0, 1.0])
    assert whitened_choices(x[:1], chosen(1, 0)).tolist() == [0.0]
