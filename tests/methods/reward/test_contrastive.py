"""A reward model that tells states apart."""

import math

import pytest
import torch

from posttrain.formulas.losses.contrast import contrastive

pytestmark = pytest.mark.paper("000:[86]")
IDS, SEED = torch.tensor([7, 3, 9]), torch.tensor(5)


def states(width=8):
    return torch.randn(3, width, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_states_that_nobody_can_tell_apart_cost_the_log_of_their_number():
    alike = torch.ones(3, 4, dtype=torch.float64)
    assert float(contrastive(alike, IDS, SEED, drop=0.0)) == pytest.approx(math.log(3))
    assert float(contrastive(torch.eye(3), IDS, SEED, drop=0.0, temperature=0.01)) == pytest.approx(0, abs=1e-6)


def test_masks_belong_to_the_row_and_the_seed():
    h, order = states(), [2, 0, 1]
    loss = float(contrastive(h, IDS, SEED, drop=0.4))
    assert float(contrastive(h[order], IDS[order], SEED, drop=0.4)) == pytest.approx(loss)
    assert float(contrastive(h, IDS, SEED + 1, drop=0.4)) != pytest.approx(loss)
    assert float(contrastive(h, IDS + 1, SEED, drop=0.4)) != pytest.approx(loss)


def test_golden_of_the_share_that_a_mask_hides():
    """Two views of a state are as alike as what both masks keep."""
    wide = torch.ones(2, 4000, dtype=torch.float64)
    logit = 0.75  # cos of ones under two masks that each keep 3/4: (3/4)² / (3/4)
    own_and_other = float(contrastive(wide, IDS[:2], SEED, drop=0.25, temperature=0.001)) * 0.001
    assert abs(own_and_other) < 0.02  # its other view is no more alike than the other state's
    h = torch.cat([wide[:1], -wide[:1]])
    assert float(contrastive(h, IDS[:2], SEED, drop=0.25, temperature=1.0)) == pytest.approx(
        math.log(1 + math.exp(-2 * logit)), abs=0.01
    )
