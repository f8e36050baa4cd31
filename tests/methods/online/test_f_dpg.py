import math

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.formulas.credit.matching import divergence_reward
from tests.harness.numbers import step
from tests.methods.online.group import group, per_answer

pytestmark = pytest.mark.paper("000:[29]")

F_DPG = load("online/f_dpg")
GENERATORS = {  # f with D_f(π || p) = E_p f(π/p)
    "forward_kl": lambda t: -t.log(),
    "reverse_kl": lambda t: t * t.log(),
    "jensen_shannon": lambda t: t * t.log() - (t + 1) * ((t + 1) / 2).log(),
    "total_variation": lambda t: (t - 1).abs() / 2,
    "forward_chi_squared": lambda t: (1 - t) ** 2 / t,
    "reverse_chi_squared": lambda t: (t - 1) ** 2,
}
AT = [math.log(w) for w in (0.3, 2.5)]  # log 1/t
VALUES = {
    "forward_kl": [0.3, 2.5],
    "reverse_kl": [math.log(0.3) - 1, math.log(2.5) - 1],
    "jensen_shannon": [-math.log(2 / 1.3), -math.log(2 / 3.5)],
    "total_variation": [-0.5, 0.5],
    "forward_chi_squared": [0.09 - 1, 6.25 - 1],
    "reverse_chi_squared": [2 - 2 / 0.3, 2 - 2 / 2.5],
}


@pytest.mark.parametrize("divergence", VALUES)
def test_golden(divergence):
    rewards = divergence_reward(torch.tensor(AT), divergence=divergence)
    assert rewards.tolist() == pytest.approx(VALUES[divergence])


@pytest.mark.parametrize("divergence", GENERATORS)
def test_golden_advantages(divergence):
    """Rewards are relative to the group; on two answers of weights w and 2 - w."""
    method = configure(F_DPG, {"divergence": divergence, "beta": 1.0})
    one = step(method, *group((0.0, math.log(3)), (2, 2)))
    r = divergence_reward(torch.tensor([0.5, 1.5]).log(), divergence=divergence).tolist()
    assert per_answer(one.value("advantage")) == pytest.approx([(r[0] - r[1]) / 2, (r[1] - r[0]) / 2])
    assert one.gradient("logp")[1] == pytest.approx([-(r[1] - r[0]) / 4] * 2)


@pytest.mark.parametrize("divergence", GENERATORS)
def test_the_policy_gradient_is_that_of_the_divergence(divergence):
    """-E_π[R ∇ log π] = ∇ D_f(π || p), on five outcomes."""
    generator = torch.Generator().manual_seed(4)
    logits = torch.randn(5, generator=generator).requires_grad_()
    target = torch.randn(5, generator=generator).softmax(0)
    distribution = logits.softmax(0)
    (exact,) = torch.autograd.grad(
        (target * GENERATORS[divergence](distribution / target)).sum(), logits, retain_graph=True
    )
    reward = divergence_reward((target / distribution).log().detach(), divergence=divergence)
    (ours,) = torch.autograd.grad(-(distribution.detach() * reward * distribution.log()).sum(), logits)
    assert ours.tolist() == pytest.approx(exact.tolist(), abs=1e-12)


def test_the_forward_kl_is_dpg():
    forward = configure(F_DPG, {"divergence": "forward_kl"})
    rows = group((1.0, 0.0, 0.5), (2, 1, 3), ref_logp=-1.2)
    assert step(forward, *rows).gradient("logp") == [
        pytest.approx(g) for g in step(load("online/dpg"), *rows).gradient("logp")
    ]


def test_the_reverse_kl_is_a_policy_gradient_with_a_kl_penalty():
    """β times the advantage of reward - β log π/π_ref, relative to the group."""
    from posttrain.core.method import variant
    from posttrain.core.parts import part
    from posttrain.formulas.credit.baselines import group_centre
    from posttrain.formulas.credit.shaping import row_reward_minus_kl

    rows = group((1.0, 0.0, 0.5), (2, 1, 3), ref_logp=-1.2)
    penalised = part(group_centre, reward=part(row_reward_minus_kl, kl_weight=0.1))
    rl = step(variant(F_DPG, derived={"advantage": penalised}), *rows).value("advantage")
    ours = step(configure(F_DPG, {"divergence": "reverse_kl"}), *rows).value("advantage")
    assert per_answer(ours) == pytest.approx([10 * a for a in per_answer(rl)])
