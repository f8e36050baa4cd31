"""Weights between two policies: golden numbers, limits, and the bias that truncation trades for variance."""

import math

import pytest
import torch

from posttrain.core.rows import Rows
from posttrain.formulas.losses import off_policy
from posttrain.formulas.losses.off_policy import (
    banded_importance,
    geometric_band,
    off_policy_sequence_mask,
    sequence_banded_importance,
    sequence_truncated_importance,
    truncated_importance,
    weighed,
)
from tests.harness.mutants import Formula, survivors

pytestmark = pytest.mark.usefixtures("float64")
OLD, ROLLOUT = torch.tensor([-1.0, -2.0, -1.0, -3.0]).double(), torch.tensor([-2.0, -1.0, -1.0, -1.0]).double()


def test_golden_numbers():
    ratio = [math.e, 1 / math.e, 1.0, math.exp(-2)]
    assert truncated_importance(OLD, ROLLOUT).tolist() == pytest.approx([2.0, *ratio[1:]])
    assert truncated_importance(OLD, ROLLOUT, cap=3.0).tolist() == pytest.approx(ratio)
    assert banded_importance(OLD, ROLLOUT).tolist() == [0, 0, 1, 0]
    assert banded_importance(OLD, ROLLOUT, low=0.3, high=2.8).tolist() == pytest.approx([*ratio[:3], 0])
    assert banded_importance(OLD[2:3], ROLLOUT[2:3], low=1.0, high=1.0).tolist() == [1.0]
    assert weighed(torch.tensor([3.0, -2.0]), torch.tensor([0.5, 2.0])).tolist() == [1.5, -4.0]


ROWS = Rows(torch.tensor([0, 0, 0, 1, 1]), torch.tensor([False, True, True, False, True]), 2)
LATER = torch.tensor([math.nan, -1.0, -2.0, math.nan, -1.0]).double()  # log-ratios 1 - 0.5 and -0.1
SAMPLED = torch.tensor([0.0, -2.0, -1.5, 0.0, -0.9]).double()


def test_golden_weights_of_whole_answers():
    up, down = math.exp(0.5), math.exp(-0.1)
    assert sequence_truncated_importance(LATER, SAMPLED, ROWS).tolist() == pytest.approx([1, up, up, 1, down])
    assert sequence_truncated_importance(LATER, SAMPLED, ROWS, cap=1.2)[1:3].tolist() == [1.2, 1.2]
    assert sequence_banded_importance(LATER, SAMPLED, ROWS)[1:].tolist() == pytest.approx([up, up, 1, down])
    assert sequence_banded_importance(LATER, SAMPLED, ROWS, high=1.6)[1:].tolist() == pytest.approx([0, 0, 1, down])
    assert sequence_banded_importance(LATER, SAMPLED, ROWS, low=0.95)[[1, 4]].tolist() == pytest.approx([up, 0])
    edge = sequence_banded_importance(SAMPLED, SAMPLED, ROWS, low=1.0, high=1.0)
    assert edge.tolist() == [1] * 5


def test_golden_bands_of_the_mean_weight():
    """e^0.25 = 1.284 and e^-0.1 = 0.905."""
    kept = [geometric_band(LATER, SAMPLED, ROWS, low=low, high=1.3)[[1, 2, 4]].tolist() for low in (0.9, 0.95)]
    assert kept == [[1, 1, 1], [1, 1, 0]]
    assert geometric_band(LATER, SAMPLED, ROWS, low=0.9, high=1.2)[[1, 4]].tolist() == [0, 1]
    assert geometric_band(SAMPLED, SAMPLED, ROWS, low=1.0, high=1.0).tolist() == [1] * 5


def test_golden_mask_of_bad_answers_that_the_policy_has_left():
    """The mean log-ratio of rollout and policy is -0.25 and 0.1."""
    bad, good = -torch.ones(5), torch.ones(5)
    assert off_policy_sequence_mask(bad, LATER, SAMPLED, ROWS, delta=0.05)[[1, 2, 4]].tolist() == [1, 1, 0]
    assert off_policy_sequence_mask(bad, LATER, SAMPLED, ROWS, delta=0.2)[[1, 2, 4]].tolist() == [1, 1, 1]
    assert off_policy_sequence_mask(good, LATER, SAMPLED, ROWS, delta=0.05)[[1, 2, 4]].tolist() == [1, 1, 1]
    far = torch.tensor([0.0, -4.0, -4.0, 0.0, -0.5]).double()
    assert off_policy_sequence_mask(bad, far, SAMPLED, ROWS)[[1, 2, 4]].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    "name",
    ["sequence_truncated_importance", "sequence_banded_importance", "geometric_band", "off_policy_sequence_mask"],
)
def test_a_broken_formula_is_noticed(name):
    golden = [test for key, test in globals().items() if key.startswith("test_golden")]
    assert survivors(getattr(off_policy, name), Formula, golden) == set()


def test_an_answer_of_one_token_weighs_as_its_token():
    alone = Rows(torch.arange(4), torch.ones(4, dtype=torch.bool), 4)
    assert torch.equal(sequence_truncated_importance(OLD, ROLLOUT, alone), truncated_importance(OLD, ROLLOUT))
    banded = sequence_banded_importance(OLD, ROLLOUT, alone, low=0.5, high=2.0)
    assert torch.equal(banded, banded_importance(OLD, ROLLOUT))
    assert torch.equal(geometric_band(OLD, ROLLOUT, alone, low=0.5, high=2.0), (banded > 0).double())


def test_the_same_policy_weighs_one():
    assert (truncated_importance(OLD, OLD) == 1).all()
    assert (banded_importance(OLD, OLD) == 1).all()


def test_weights_carry_no_gradient():
    old = OLD.clone().requires_grad_()
    assert not truncated_importance(old, ROLLOUT).requires_grad
    assert not banded_importance(old, ROLLOUT).requires_grad


def test_a_large_cap_is_unbiased_and_a_small_one_is_not():
    """Expectation under the rollout policy of w f, over a whole vocabulary, is that of f under the old policy."""
    generator = torch.Generator().manual_seed(0)
    old, rollout = torch.randn(2, 50, generator=generator, dtype=torch.float64).log_softmax(-1)
    f = torch.randn(50, generator=generator, dtype=torch.float64)
    want = (old.exp() * f).sum()
    errors = [
        abs(float((rollout.exp() * weighed(f, truncated_importance(old, rollout, cap=cap))).sum() - want))
        for cap in (1.0, 4.0, 1e9)
    ]
    assert errors[2] < 1e-12
    assert errors[0] > 0.01
