"""Links from two scores to a loss."""

import pytest
import torch

from posttrain.formulas.losses.pairs import first, gap, logistic, ordered, second

pytestmark = pytest.mark.usefixtures("float64")
CHOSEN, REJECTED = torch.tensor([[1.0, -2.0, 3.0], [0.5, 4.0, 3.0]]).double()


def test_the_likelihoods_of_both_orders_add_up_to_one():
    one, other = logistic(CHOSEN, REJECTED, beta=0.7), logistic(REJECTED, CHOSEN, beta=0.7)
    assert torch.allclose((-one).exp() + (-other).exp(), torch.ones(3))


def test_half_of_the_labels_wrong_teaches_nothing_but_a_tie():
    one, other = (logistic(a, b, smoothing=0.5) for a, b in ((CHOSEN, REJECTED), (REJECTED, CHOSEN)))
    assert torch.allclose(one, other)
    assert int(one.argmin()) == 2


def test_the_margin_is_not_scaled_by_beta():
    shifted = logistic(CHOSEN, REJECTED, beta=2.0, margin=1.0)
    assert torch.allclose(shifted, logistic(CHOSEN - 0.5, REJECTED, beta=2.0))


def test_large_gaps_do_not_overflow():
    assert logistic(torch.tensor([-1e5]), torch.tensor([1e5]), beta=1.0).tolist() == [2e5]


def test_measures():
    assert ordered(CHOSEN, REJECTED).tolist() == [1, 0, 0.5]
    assert gap(CHOSEN, REJECTED).tolist() == [0.5, -6, 0]
    assert first(CHOSEN, REJECTED) is CHOSEN
    assert second(CHOSEN, REJECTED) is REJECTED
