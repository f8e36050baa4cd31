"""Estimators of KL: their mean and the mean of their gradient, exactly, by summing over all outcomes."""

import pytest
import torch

from posttrain.core.maths.divergence import bounded_exp, k1, k2, k3

pytestmark = pytest.mark.usefixtures("float64")
Q = torch.tensor([0.5, 0.2, 0.2, 0.1]).double().log()


def logits():
    return torch.tensor([0.3, -1.0, 0.8, 0.1]).double().requires_grad_()


def kl(a, b):
    return (a.exp() * (a - b)).sum()


def gradient(value, x):
    return torch.autograd.grad(value, x)[0]


@pytest.mark.parametrize("estimator", [k1, k3])
def test_the_mean_is_kl(estimator):
    p = logits().detach().log_softmax(-1)
    assert float((p.exp() * estimator(p - Q)).sum()) == pytest.approx(float(kl(p, Q)))


def test_k2_is_half_the_square():
    assert k2(torch.tensor([-3.0, 2.0])).tolist() == [4.5, 2.0]


@pytest.mark.parametrize("estimator", [k2, k3])
def test_never_negative_and_zero_only_without_distance(estimator):
    d = torch.linspace(-3, 3, 7)
    assert (estimator(d) >= 0).all()
    assert (estimator(d) == 0).tolist() == [x == 0 for x in d.tolist()]


def test_as_a_loss_on_samples_of_the_policy():
    """Tokens are drawn from p and not differentiated: k1 teaches nothing, k2 the reverse KL, k3 the forward KL."""
    x = logits()
    p = x.log_softmax(-1)
    drawn = p.detach().exp()
    taught = {f.__name__: gradient((drawn * f(p - Q)).sum(), x) for f in (k1, k2, k3) for p in (x.log_softmax(-1),)}
    assert torch.allclose(taught["k1"], torch.zeros(4), atol=1e-12)
    assert torch.allclose(taught["k2"], gradient(kl(x.log_softmax(-1), Q), x), atol=1e-12)
    assert torch.allclose(taught["k3"], gradient(kl(Q, x.log_softmax(-1)), x), atol=1e-12)


class TestBoundedExp:
    def test_is_exp_up_to_twenty(self):
        x = torch.tensor([-1000.0, -20.0, -1.0, 0.0, 3.0, 20.0])
        assert torch.equal(bounded_exp(x), x.exp())

    def test_goes_on_as_a_line(self):
        x = torch.tensor([21.0, 1000.0], requires_grad=True)
        y = bounded_exp(x)
        assert torch.allclose(y, torch.e**20 * (1 + x.detach() - 20) * torch.ones(2))
        y.sum().backward()
        assert torch.allclose(x.grad, torch.full((2,), 20.0).exp())

    def test_k3_pulls_back_a_token_that_was_given_up_on(self):
        """The gradient with respect to log π must be negative however far π has fallen."""
        d = torch.tensor([-5.0, -19.0, -25.0, -700.0], requires_grad=True)
        k3(d).sum().backward()
        assert (d.grad < 0).all()
        assert d.grad.isfinite().all()
