"""Directions: from a seed, with the second moments that make finite differences a gradient."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from posttrain.backends.local.direction import drawn, movable, shift
from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.protocol import Direction
from tests.harness.networks import TinyNet

SHAPES = ["normal", "sphere", 1, 3]


class Two(nn.Module):
    """Five parameters in two tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(3))


def vector(seed: int, shape: str | int) -> torch.Tensor:
    pieces = drawn(dict(Two().named_parameters()), Direction(seed, shape))
    return torch.cat([v.flatten() for v in pieces]).double()


@pytest.mark.parametrize("shape", SHAPES)
def test_on_average_the_outer_product_is_the_identity(shape) -> None:
    all_ = torch.stack([vector(seed, shape) for seed in range(3000)])
    moments = all_.T @ all_ / len(all_)
    assert float((moments - torch.eye(5)).abs().max()) < 0.12
    assert float(all_.mean(0).abs().max()) < 0.1


@pytest.mark.parametrize("shape", ["sphere", 1, 3, 5])
def test_it_is_as_long_as_the_root_of_the_number_of_parameters(shape) -> None:
    assert float(vector(7, shape).norm()) == pytest.approx(5**0.5)
    if isinstance(shape, int):
        assert int((vector(7, shape) != 0).sum()) == shape


def test_a_block_of_everything_is_signs() -> None:
    assert set(vector(3, 5).abs().tolist()) == {1.0}
    assert torch.equal(vector(3, 5), vector(3, 99))


def test_a_seed_is_one_direction_and_two_are_two() -> None:
    assert torch.equal(vector(1, "normal"), vector(1, "normal"))
    assert not torch.equal(vector(1, "normal"), vector(2, "normal"))


def test_there_and_back_again() -> None:
    module = Two()
    for length in (0.5, 0.25, -0.75):
        shift(movable(module), Direction(1, "sphere"), length)
    assert all(float(p.detach().abs().max()) < 1e-6 for p in module.parameters())


def test_a_moved_copy_leaves_its_source_alone() -> None:
    backend = LocalLearner({"policy": TinyNet(0)})
    before = {n: x.clone() for n, x in backend.models["policy"].state_dict().items()}
    backend.move("policy", "moved", [(Direction(1), 0.1), (Direction(2), -0.2)])
    backend.move("policy", "one", [(Direction(1), 0.1)])
    backend.move("one", "one", [(Direction(2), -0.2)])
    after, moved, one = (backend.models[r].state_dict() for r in ("policy", "moved", "one"))
    assert all(torch.equal(after[n], x) for n, x in before.items())
    assert all(torch.equal(moved[n], one[n]) for n in before)
    assert any(not torch.equal(moved[n], before[n]) for n in before)
    assert {"moved", "one"} <= backend.changed
