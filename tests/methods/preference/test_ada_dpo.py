import math

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.formulas.losses.pairs import scaled_logistic
from tests.methods.preference.pair import on_pair

pytestmark = pytest.mark.paper("hong2024mqe")

ADA = load("preference/ada_dpo")


def test_with_one_scale_it_is_dpo_and_a_constant():
    fixed = on_pair(configure(ADA, {"smallest": 1.0, "largest": 1.0}))
    dpo = on_pair(load("preference/dpo"))
    assert fixed.metrics["loss"] == pytest.approx(dpo.metrics["loss"] + 0.1 - math.log(2), abs=1e-14)
    assert fixed.gradient("logp") == dpo.gradient("logp")


@pytest.mark.parametrize("rho", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("delta", [-20.0, -1.0, -0.01, 0.3, 2.0, 9.0])
def test_no_other_scale_is_lower(rho, delta):
    """The closed form against a fine grid of scales, and its gradient against finite differences."""
    tau = torch.linspace(0.1, 5.0, 20001)
    grid = tau * torch.nn.functional.softplus(-delta / tau) + (rho - math.log(2)) * tau
    loss = lambda d: scaled_logistic(torch.tensor([d]), torch.zeros(1), beta=1.0, rho=rho)  # noqa: E731
    assert float(loss(delta)) == pytest.approx(float(grid.min()), abs=1e-6)
    x = torch.tensor([delta], requires_grad=True)
    scaled_logistic(x, torch.zeros(1), beta=1.0, rho=rho).backward()
    assert float(x.grad) == pytest.approx(float(loss(delta + 1e-5) - loss(delta - 1e-5)) / 2e-5, abs=1e-4)
