"""Steps that are merged with a task vector: golden numbers and identities."""

from __future__ import annotations

import pytest
import torch
from torch import tensor

from posttrain.core.weights import StepMerging
from posttrain.models.merging.steps import merged_step, sparse

pytestmark = pytest.mark.paper("lu202435m")
STEP = tensor([-0.1, 0.2, 0.3, 0.0, -0.4], dtype=torch.float64)
TASK = tensor([0.5, 0.1, -0.4, 0.2, -0.1], dtype=torch.float64)


def merged(rule, weight, density=1.0, seed=0):
    how = StepMerging(rule, weight, density)
    return merged_step(sparse(STEP, how, seed), sparse(TASK, how, seed + 1), how)


def test_golden():
    """From 1 with τ = 0.5, d = -0.1 and α = 0.1: 0.96 and 1.05, where d has the other sign and is dropped."""
    for rule, expected in (("dare", 0.96), ("ties", 1.05)):
        how = StepMerging(rule, 0.1, 1.0)
        assert 1 + float(merged_step(tensor(-0.1), tensor(0.5), how)) == pytest.approx(expected)


def test_golden_signs():
    """Sums 0.4, 0.3, -0.1, 0.2, -0.5: the first and the third step are dropped, and no task vector but the second's."""
    expected = tensor([0.25, 0.15, -0.2, 0.1, -0.25], dtype=torch.float64)
    torch.testing.assert_close(merged("ties", 0.5), expected)


def test_without_weight_and_with_all_entries_it_is_the_step():
    assert torch.equal(merged("dare", 0.0), STEP)


def test_all_weight_is_the_task_vector():
    assert torch.equal(merged("dare", 1.0), TASK)
    assert torch.equal(merged("ties", 1.0), TASK * tensor([1, 1, 1, 1, 1]))


def test_ties_keeps_the_largest_and_does_not_rescale():
    how = StepMerging("ties", 0.0, 0.4)
    torch.testing.assert_close(sparse(STEP, how, 0), tensor([0, 0, 0.3, 0, -0.4], dtype=torch.float64))


def test_dare_is_unbiased():
    found = torch.stack([merged("dare", 0.25, 0.5, seed=2 * s) for s in range(2000)]).mean(0)
    torch.testing.assert_close(found, merged("dare", 0.25), rtol=0, atol=0.04)
