"""Links with a target."""

import pytest
import torch

from posttrain.formulas.losses.pair_targets import reverse_kl, reward_gap, squared

pytestmark = pytest.mark.usefixtures("float64")


def test_the_squared_link_wants_a_finite_gap():
    assert squared(torch.tensor([5.0]), torch.tensor([0.0]), tau=0.1).tolist() == [0]
    assert squared(torch.tensor([6.0]), torch.tensor([0.0]), tau=0.1).tolist() == [1]


@pytest.mark.parametrize("distance", ["backward", "forward", "squared"])
def test_the_loss_is_zero_where_the_gaps_are_equal(distance):
    chosen, rejected = torch.tensor([3.0, 4.0]), torch.tensor([1.0, 5.0])
    loss = reward_gap(chosen, rejected, chosen, rejected, beta=0.5, eta=0.5, distance=distance)
    assert loss.abs().max() < 1e-12
    assert (reward_gap(chosen, rejected, rejected, chosen, beta=0.5, eta=0.5, distance=distance) > 0.1).all()


def test_the_reverse_kl_is_zero_where_the_policy_prefers_as_the_smoothed_label_does():
    gap = torch.tensor([0.9 / 0.1]).log()
    assert reverse_kl(gap, 0 * gap, beta=1.0, smoothing=0.1).abs() < 1e-12
    assert (reverse_kl(gap * torch.tensor([0.9, 1.1]), 0 * gap, beta=1.0, smoothing=0.1) > 1e-4).all()
