"""Linear rewards from comparisons, and what is not known of them."""

import math

import pytest
import torch
from torch import tensor

from posttrain.selection.linear_reward import Posterior, posterior
from tests.selection.comparisons import preferred, truth

pytestmark = pytest.mark.paper("000:[7]")


def test_golden():
    """One dimension, one comparison: θ solves σ(-θ) = θ, and the precision is 1 + σ(θ)σ(-θ)."""
    found = posterior(tensor([[1.0]], dtype=torch.float64))
    assert float(found.mean) == pytest.approx(0.4010581375)
    assert float(found.precision) == pytest.approx(1 + 0.4010581375 * (1 - 0.4010581375))
    twice = posterior(tensor([[1.0]], dtype=torch.float64), ridge=0.5, rationality=tensor([2.0]))
    assert 0.5 * float(twice.mean) == pytest.approx(2 / (1 + math.exp(2 * float(twice.mean))))
    p = 1 / (1 + math.exp(-2 * float(twice.mean)))
    assert float(twice.precision) == pytest.approx(0.5 + 4 * p * (1 - p))


def test_golden_directions_that_no_comparison_joins():
    """Each is what it is alone."""
    found = posterior(torch.eye(2, dtype=torch.float64))
    assert found.mean.tolist() == pytest.approx([0.4010581375] * 2)
    assert found.precision == pytest.approx(1.2402105079 * torch.eye(2, dtype=torch.float64))


def test_golden_of_a_known_posterior():
    """Precision diag(4, 1): v = (2, 1) has the variance 1 + 1, and MacKay's probability of mean 1 is 0.67883."""
    known = Posterior(tensor([0.5, 0.0]), tensor([[4.0, 0.0], [0.0, 1.0]]))
    v = tensor([[2.0, 1.0], [0.0, 3.0]])
    assert known.variance(v).tolist() == pytest.approx([2.0, 9.0])
    assert known.lower_bound(v, 0.5).tolist() == pytest.approx([1 - 0.5 * 2**0.5, -1.5])
    assert float(known.probability(v)[0]) == pytest.approx(0.67883, abs=1e-5)


def test_golden_of_its_draws():
    drawn = Posterior(tensor([0.5, -1.0]), tensor([[4.0, 1.0], [1.0, 1.0]])).draw(3, 20000)
    assert torch.equal(drawn, Posterior(tensor([0.5, -1.0]), tensor([[4.0, 1.0], [1.0, 1.0]])).draw(3, 20000))
    assert drawn.mean(0).tolist() == pytest.approx([0.5, -1.0], abs=0.03)
    assert torch.cov(drawn.T) == pytest.approx(torch.linalg.inv(tensor([[4.0, 1.0], [1.0, 1.0]])), abs=0.04)


def test_it_is_the_maximum_and_its_precision_is_the_curvature():
    z = preferred(truth(3), 40, seed=0)
    found = posterior(z, ridge=0.3)

    def loss(theta):
        return torch.nn.functional.softplus(-z @ theta).sum() + 0.15 * theta @ theta

    assert torch.func.grad(loss)(found.mean).abs().max() < 1e-9
    torch.testing.assert_close(found.precision, torch.func.hessian(loss)(found.mean))


def test_what_is_certain_does_not_overshoot():
    assert posterior(tensor([[500.0, 0.0]], dtype=torch.float64), ridge=1e-3).mean.isfinite().all()


def test_doubt_shrinks_with_data_in_its_direction_and_grows_away_from_it():
    theta = truth(2)
    axes = torch.eye(2, dtype=torch.float64)
    few, many = (posterior(preferred(theta, n, seed=1)) for n in (50, 200))
    ratio = few.variance(axes) / many.variance(axes)
    assert (ratio > 2).all()  # 1/n, but for the prior
    assert (ratio < 6).all()
    assert torch.equal(many.variance(3 * axes).argsort(), many.variance(axes).argsort())
    assert many.variance(30 * axes).min() > 100 * many.variance(axes).max()


def test_it_is_calibrated():
    """Of 90 % intervals of the reward about nine in ten hold the truth, over many worlds."""
    inside = []
    for world in range(60):
        theta = torch.randn(3, generator=torch.Generator().manual_seed(world), dtype=torch.float64)
        found = posterior(preferred(theta, 30, seed=world))  # the prior is that of the worlds
        vectors = torch.randn(20, 3, generator=torch.Generator().manual_seed(99 + world), dtype=torch.float64)
        error = (vectors @ (found.mean - theta)).abs() / found.variance(vectors).sqrt()
        inside.append((error < 1.645).double().mean())
    assert 0.84 < float(torch.stack(inside).mean()) < 0.95
