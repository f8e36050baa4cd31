import math

import pytest
import torch

from posttrain.core.maths.gates import mixed


def test_golden():
    """Weights 3/4 and 1/4 of 2 and -1; then of the means of two numbers for each attribute."""
    gate = torch.tensor([[math.log(3), 0.0]])
    assert mixed(gate, torch.tensor([[2.0, -1.0]])).tolist() == pytest.approx([1.25])
    assert mixed(gate, torch.tensor([[1.0, 3.0, 1.0, -3.0]])).tolist() == pytest.approx([1.25])


def test_equal_weights_are_the_mean_and_a_constant_changes_nothing():
    numbers = torch.tensor([[1.0, 2.0, 6.0], [0.0, 1.0, -4.0]])
    even = mixed(torch.zeros(2, 3), numbers)
    assert even.tolist() == pytest.approx([3.0, -1.0])
    assert torch.allclose(mixed(torch.full((2, 3), 5.0), numbers), even)
    assert mixed(torch.tensor([[0.0, 99.0, 0.0]]), numbers[:1]).tolist() == pytest.approx([2.0])
