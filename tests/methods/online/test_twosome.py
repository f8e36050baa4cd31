"""TWOSOME: when it stops. Its scores and its credit are tested with the formulas (test_choices.py)."""

import math

import torch

from posttrain.core.rows import Rows
from posttrain.formulas.losses.choices import too_far


def test_golden_target():
    """ρ = e^0.3 and 1 in two decisions that were taken, and anything in one that was not."""
    old, new = torch.zeros(3), torch.tensor([0.3, 0.0, 5.0])
    index = torch.arange(3)
    kl = (math.exp(0.3) - 1 - 0.3) / 2  # less than that of the ratio turned round
    some, none = Rows(index, torch.tensor([True, True, False]), 3), Rows(index, torch.zeros(3, dtype=torch.bool), 3)
    assert float(too_far(new, old, some, target_kl=kl * 0.999)) == 1.0
    assert float(too_far(new, old, some, target_kl=kl * 1.001)) == 0.0
    assert float(too_far(old, new, some, target_kl=kl * 0.999)) == 0.0
    assert float(too_far(new, old, none)) == 0.0
