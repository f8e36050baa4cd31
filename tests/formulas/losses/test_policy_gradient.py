"""What clipping does to value and gradient."""

import pytest
import torch

from posttrain.core.rows import Rows
from posttrain.formulas.losses.policy_gradient import (
    clipped_share,
    clipped_surrogate,
    reinforce,
    sequence_ratio,
    surrogate,
    token_ratio,
)

pytestmark = pytest.mark.usefixtures("float64")
ROWS = Rows(torch.tensor([0, 0, 0, 1, 1]), torch.tensor([0, 1, 1, 0, 1]).bool(), 2)


def random(n, seed=0, scale=1.0):
    return torch.randn(n, generator=torch.Generator().manual_seed(seed)) * scale


def test_on_policy_every_surrogate_has_the_gradient_of_reinforce():
    old, advantage = random(50), random(50, 1)
    gradients = []
    for loss in (clipped_surrogate, surrogate, None):
        logp = old.clone().requires_grad_()
        (reinforce(logp, advantage) if loss is None else loss(advantage, token_ratio(logp, old))).sum().backward()
        gradients.append(logp.grad)
    assert torch.allclose(gradients[0], gradients[2])
    assert torch.allclose(gradients[1], gradients[2])


def test_the_clip_never_promises_more_than_the_surrogate():
    advantage, ratio = random(200), random(200, 1, 0.5).exp()
    assert (clipped_surrogate(advantage, ratio) >= surrogate(advantage, ratio)).all()


def test_the_clipped_share_is_where_the_gradient_is_cut_off():
    advantage, ratio = random(300), random(300, 1, 0.5).exp().requires_grad_()
    clipped_surrogate(advantage, ratio, low=0.1, high=0.3).sum().backward()
    share = clipped_share(advantage, ratio.detach(), low=0.1, high=0.3)
    assert torch.equal(share == 1, ratio.grad == 0)
    assert 0.2 < float(share.mean()) < 0.8


def test_the_ratio_of_a_sequence_is_the_geometric_mean_of_its_tokens():
    logp, old = random(5).requires_grad_(), random(5, 1)
    ratio = sequence_ratio(logp, old, ROWS)
    d = (logp - old).detach()
    expected = [float(((d[1] + d[2]) / 2).exp()), float(d[4].exp())]
    assert ratio[ROWS.mask].tolist() == pytest.approx([expected[0], expected[0], expected[1]])
    ROWS.mean(ratio).sum().backward()
    assert logp.grad[ROWS.mask].tolist() == pytest.approx([expected[0] / 2, expected[0] / 2, expected[1]])


def test_a_token_that_was_given_up_on_does_not_overflow():
    logp = torch.tensor([0.0, -800.0], requires_grad=True)
    loss = clipped_surrogate(torch.tensor([-1.0, 1.0]), token_ratio(logp, torch.tensor([-800.0, 0.0])))
    loss.sum().backward()
    assert loss.isfinite().all()
    assert logp.grad.isfinite().all()
