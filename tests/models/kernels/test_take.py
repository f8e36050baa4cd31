"""Rows of a tensor, with a gradient that has the same bits in every run."""

import pytest
import torch

from posttrain.models.kernels.padded_blocks import take


def gradient(take_, x, index, slope):
    leaf = x.clone().requires_grad_()
    return torch.autograd.grad((take_(leaf, index) * slope).sum(), leaf)[0]


def test_take_is_indexing():
    generator = torch.Generator().manual_seed(0)
    x, slope = (torch.randn(*shape, 3, 4, dtype=torch.float64, generator=generator) for shape in ((50,), (200,)))
    index = torch.randint(0, 50, (200,), generator=generator)
    assert torch.equal(take(x, index), x[index])
    torch.testing.assert_close(
        gradient(take, x, index, slope), gradient(lambda x, i: x[i], x, index, slope), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_gradient_has_the_same_bits_every_time(threads):
    """Indexing adds in the order of its threads: of 50 gradients on two threads hardly two are equal."""
    generator = torch.Generator().manual_seed(0)
    x, slope = torch.randn(64, 2048, generator=generator), torch.randn(4000, 2048, generator=generator)
    index = torch.randint(0, 64, (4000,), generator=generator)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        expected = gradient(take, x, index, slope)
        torch.set_num_threads(threads)
        assert all(torch.equal(gradient(take, x, index, slope), expected) for _ in range(5))
    finally:
        torch.set_num_threads(before)
