"""Heads on one trunk, each with a bootstrap sample of the pairs."""

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.parts import PartError
from posttrain.formulas.losses.members import bootstrap_weights
from tests.harness.numbers import answer, step
from tests.methods.reward.pairs import plain

pytestmark = pytest.mark.paper("000:[25]")

TOGETHER = configure(load("reward/ensemble"), {"bootstrap": False})


def on(method, *gaps, shift=0.0):
    rows = [answer(other=[0.0], member_scores=tuple(shift + x * g for g in gaps)) for x in (1, 0)]
    return step(method, *rows, pairs=[(0, 1)]).metrics


def test_equal_members_are_bradley_terry_and_members_do_not_meet():
    assert on(TOGETHER, 0.7, 0.7, 0.7)["loss"] == pytest.approx(plain(0.7), abs=1e-14)
    assert on(TOGETHER, 0.7, -2.0)["loss"] == pytest.approx((plain(0.7) + plain(-2.0)) / 2, abs=1e-14)
    assert on(TOGETHER, 0.7, -2.0, shift=50.0)["loss"] == pytest.approx(on(TOGETHER, 0.7, -2.0)["loss"], abs=1e-13)
    assert on(TOGETHER, 0.7, 0.7)["disagreement"] == 0 < on(TOGETHER, 0.7, 0.6)["disagreement"]


def test_each_member_has_a_poisson_sample_of_its_own_that_depends_on_the_pair_alone():
    weights = bootstrap_weights(torch.arange(2000), 4).double()
    assert weights.mean(0) == pytest.approx(torch.ones(4), abs=0.07)
    assert weights.var(0) == pytest.approx(torch.ones(4), abs=0.12)
    assert torch.corrcoef(weights.T).triu(1).abs().max() < 0.07
    assert torch.equal(bootstrap_weights(torch.tensor([7, 3]), 4), bootstrap_weights(torch.tensor([3, 7]), 4).flip(0))


def test_a_head_has_as_many_numbers_as_its_setting_says():
    more = configure(load("reward/ensemble"), {"member_scores.size": 9}).fields["member_scores"].source
    assert (more.size, sum(more.weights)) == (9, pytest.approx(1.0))
    with pytest.raises(PartError, match="at least 2"):
        configure(TOGETHER, {"member_scores.size": 1})
