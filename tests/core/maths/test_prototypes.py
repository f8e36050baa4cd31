import math

import pytest
import torch

from posttrain.core.maths.prototypes import between, distances, drawn


def test_golden():
    """h = 0; prototypes at 0 and at distance log 3 have the weights 3/4 and 1/4."""
    far = math.log(3)
    one = drawn(torch.zeros(1, 2), torch.tensor([[0.0, 0.0], [0.0, far]]))
    assert one[0].tolist() == pytest.approx([0.0, far / 8])
    assert distances(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]])).tolist() == [[5.0]]
    assert between(torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])).tolist() == pytest.approx([5.0, 1.0, 18**0.5])


def test_a_state_at_its_only_prototype_stays_and_a_far_one_comes_half_the_way():
    points = torch.tensor([[2.0, 1.0]])
    assert torch.equal(drawn(points, points), points)
    assert drawn(torch.tensor([[4.0, 5.0]]), points).tolist() == [[3.0, 3.0]]
    assert torch.allclose(drawn(points + 1, points + 1), drawn(points, points) + 1)
