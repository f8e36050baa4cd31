"""Losses and measures of critics."""

import pytest
import torch

from posttrain.core.rows import Rows
from posttrain.formulas.losses.values import clipped_value, explained_variance

pytestmark = pytest.mark.usefixtures("float64")


def random(n, seed):
    return torch.randn(n, generator=torch.Generator().manual_seed(seed))


@pytest.mark.paper("zheng2023c98")
def test_the_clip_only_ever_adds_to_the_error():
    new, old, target = (random(100, s) for s in range(3))
    assert (clipped_value(new, old, target, clip=0.1) >= 0.5 * (new - target) ** 2).all()
    assert torch.allclose(clipped_value(new, old, target, clip=1e9), 0.5 * (new - target) ** 2)


def test_a_value_that_has_moved_enough_towards_its_target_is_left_alone():
    new = torch.tensor([0.5, 0.1], requires_grad=True)
    clipped_value(new, torch.zeros(2), torch.ones(2), clip=0.2).sum().backward()
    assert new.grad.tolist() == pytest.approx([0, -0.9])


class TestExplainedVariance:
    rows = Rows(torch.zeros(5, dtype=torch.long), torch.tensor([0, 1, 1, 1, 1]).bool(), 1)
    returns = torch.tensor([99.0, 1.0, 2.0, 3.0, 4.0]).double()

    def test_one_for_a_critic_that_is_right_up_to_a_constant(self):
        assert float(explained_variance(self.returns - 7, self.returns, self.rows)) == 1

    def test_zero_for_a_constant(self):
        assert float(explained_variance(torch.zeros(5), self.returns, self.rows)) == 0

    def test_negative_for_one_that_is_wrong(self):
        assert float(explained_variance(-self.returns, self.returns, self.rows)) == -3

    def test_zero_where_there_is_nothing_to_explain(self):
        assert float(explained_variance(self.returns, torch.ones(5), self.rows)) == 0
