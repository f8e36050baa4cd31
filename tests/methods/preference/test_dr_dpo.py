import math

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.formulas.credit.pairs import worst_case
from tests.harness.numbers import answer, step
from tests.methods.preference.pair import on_pair

pytestmark = pytest.mark.paper("mandal2025qf5")

DR_DPO, DPO = load("preference/dr_dpo"), load("preference/dpo")
GAPS = [3.0, -1.0, 0.5, 8.0, 2.0]
PLAIN = answer(logp=[0.0], ref_logp=[0.0])


def on(method, gaps=GAPS, **settings):
    rows = [r for gap in gaps for r in (answer(logp=[gap], ref_logp=[0.0]), PLAIN)]
    return step(configure(method, settings), *rows, pairs=[(2 * i, 2 * i + 1) for i in range(len(gaps))])


def loss(gap):
    return math.log1p(math.exp(-0.1 * gap))


def test_golden_weights():
    assert worst_case(torch.tensor([3.0, 1.0, 2.0]), radius=0.5).tolist() == pytest.approx([2.5, 0.0, 0.5])
    assert worst_case(torch.tensor([3.0, 1.0, 2.0]), radius=0.9).tolist() == pytest.approx([3.0, 0.0, 0.0])
    assert worst_case(torch.tensor([1.0, 1.0]), radius=0.3).tolist() == [1.0, 1.0]


def test_without_a_radius_it_is_dpo_and_with_the_largest_only_the_worst_pair_counts():
    assert on(DR_DPO, radius=0.0).metrics == pytest.approx(on(DPO).metrics, abs=1e-14)
    assert on(DR_DPO, radius=1.0).metrics["loss"] == pytest.approx(loss(-1.0))
    assert on_pair(DR_DPO).metrics == pytest.approx(on_pair(DPO).metrics)


@pytest.mark.parametrize("radius", [0.05, 0.3, 0.6])
def test_it_is_the_optimum_of_the_linear_programme(radius):
    optimize = pytest.importorskip("scipy.optimize")
    losses = torch.rand(8, generator=torch.Generator().manual_seed(3))
    n = len(losses)
    # variables: q, and d >= |q - 1/n|
    above = [[(i == j) * 1.0 for j in range(n)] + [-(i == j) * 1.0 for j in range(n)] for i in range(n)]
    below = [[-x for x in row[:n]] + row[n:] for row in above]
    solved = optimize.linprog(
        [-x for x in losses.tolist()] + [0] * n,
        A_ub=[*above, *below, [0] * n + [0.5] * n],
        b_ub=[1 / n] * n + [-1 / n] * n + [radius],
        A_eq=[[1] * n + [0] * n],
        b_eq=[1],
    )
    weight = worst_case(losses, radius=radius) / n
    assert float(weight @ losses) == pytest.approx(-solved.fun, abs=1e-9)
    assert float(weight.sum()) == pytest.approx(1)
    assert float((weight - 1 / n).abs().sum() / 2) == pytest.approx(radius)


def test_what_is_least_well_learnt_is_learnt_better():
    """Two pairs that no policy can both satisfy, nine to one: the worse one fares better than under DPO."""
    ends = {}
    for method in (DPO, configure(DR_DPO, {"radius": 0.4})):
        gap = torch.zeros((), requires_grad=True)
        optimiser = torch.optim.SGD([gap], lr=20.0)
        for _ in range(300):
            losses = torch.nn.functional.softplus(torch.cat([-0.1 * gap.expand(9), 0.1 * gap.expand(1)]))
            weight = torch.ones(10) if method is DPO else worst_case(losses.detach(), radius=0.4)
            optimiser.zero_grad()
            (weight * losses).mean().backward()
            optimiser.step()
        ends[method.name] = float(losses[9].detach())
    assert ends["dr_dpo"] < ends["dpo"] - 0.5
