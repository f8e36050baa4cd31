"""A float32 value as a bfloat16 number and 16 bits."""

import pytest
import torch
from torch import nn

from posttrain.backends.local.master import Master, joined, split


def numbers():
    """Float32 numbers of all sizes, ties of rounding and their neighbours."""
    drawn = torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    sizes = drawn * torch.tensor([1e-42, 1e-30, 1e-3, 1.0, 1e30]).repeat(2000)
    ties = torch.arange(0, 2**16, 7, dtype=torch.int32)[:, None] * 2**16 + torch.tensor(
        [0, 2**15 - 1, 2**15, 2**15 + 1]
    )
    ties = ties.flatten().view(torch.float32)
    return torch.cat([sizes, ties[ties.isfinite() & (ties.abs() < 3e38)], torch.tensor([0.0, -0.0])])


def halves(value):
    upper, lower = torch.empty(len(value), dtype=torch.bfloat16), torch.empty(len(value), dtype=torch.int16)
    split(value, upper, lower)
    return upper, lower


@pytest.mark.paper("000:[45]")
def test_no_bit_is_lost():
    value = numbers()
    assert torch.equal(joined(*halves(value)).view(torch.int32), value.view(torch.int32))


def test_the_upper_half_is_the_nearest_bfloat16_number():
    value = numbers()
    upper, theirs = halves(value)[0].double(), value.bfloat16().double()
    assert torch.equal((upper - value).abs(), (theirs - value).abs())  # of two as near, torch takes the even one
    assert (upper != theirs).double().mean() < 0.3


def test_golden():
    """1 + 2^-8 lies between 1 and 1 + 2^-7; the one away from zero is taken."""
    value = torch.tensor([1.0, 1 + 2**-8, -(1 + 2**-8), 1 + 2**-8 - 2**-23, 1 + 3 * 2**-9])
    upper, lower = halves(value)
    assert upper.tolist() == [1.0, 1 + 2**-7, -(1 + 2**-7), 1.0, 1 + 2**-7]
    assert lower.tolist() == [0, -(2**15), -(2**15), 2**15 - 1, -(2**14)]


@pytest.mark.paper("000:[45]")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64], ids=str)
def test_small_changes_add_up(dtype):
    parameter = nn.Parameter(torch.ones(4, 5, dtype=dtype))
    master = Master(parameter)
    assert master.dtype == (dtype if dtype == torch.float64 else torch.float32)
    for _ in range(64):
        for part in (slice(0, 7), slice(7, 20)):
            master.write(master.read(part).add_(2.0**-12), part)
    assert torch.equal(master.read(), torch.full((20,), 1 + 2.0**-6, dtype=master.dtype))
    assert torch.equal(parameter, torch.full((4, 5), 1 + 2.0**-6, dtype=dtype))


def test_a_parameter_with_gaps_is_moved_together():
    parameter = nn.Parameter(torch.arange(6.0).view(2, 3).t())
    master = Master(parameter)
    master.write(master.read().add_(1))
    assert parameter.tolist() == [[1, 4], [2, 5], [3, 6]]
