"""Norm, gate and rotary embedding against their formulas, in float64, whole and in slabs."""

import gc

import pytest
import torch
import torch.nn.functional as F
from torch.multiprocessing.reductions import StorageWeakRef

from posttrain.models.kernels import elementwise
from posttrain.models.kernels.elementwise import gated, recomputed, rms_norm, rotary_embedding, stored


@pytest.fixture(params=[2**18, 2 * 24])
def draw(request, monkeypatch):
    monkeypatch.setattr(elementwise, "SLAB", request.param)
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: torch.randn(*shape, dtype=torch.float64, generator=generator, requires_grad=True)


def same(actual, expected, inputs, weights):
    """Equal values and, for a random weighted sum of them, equal gradients."""
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)
    mine = torch.autograd.grad((weights * actual).sum(), inputs)
    theirs = torch.autograd.grad((weights * expected).sum(), inputs)
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(7, 24), (7, 3, 8)])  # hidden states; heads
def test_rms_norm_is_its_formula(draw, shape):
    x, weight = draw(*shape), draw(shape[-1])
    expected = x / (x.square().mean(-1, keepdim=True) + 1e-3).sqrt() * weight
    same(rms_norm(x, weight, 1e-3), expected, (x, weight), draw(*shape).detach())


def test_rms_norm_golden():
    actual = rms_norm(torch.tensor([[3.0, 4.0]]), torch.tensor([1.0, 2.0]), 0.0)
    torch.testing.assert_close(actual, torch.tensor([[3.0, 8.0]]) / 12.5**0.5)


def test_rms_norm_does_not_see_the_scale(draw):
    x, weight = draw(5, 24), draw(24)
    torch.testing.assert_close(rms_norm(1000 * x, weight, 0.0), rms_norm(x, weight, 0.0), rtol=0, atol=1e-12)


def test_gated_is_its_formula(draw):
    gate, up = draw(9, 24), draw(9, 24)
    same(gated(gate, up), F.silu(gate) * up, (gate, up), draw(9, 24).detach())


def test_rotation_is_a_complex_product_and_keeps_lengths_and_relative_angles(draw):
    x, angle = draw(6, 2, 8), torch.linspace(0, 3, 6, dtype=torch.float64)[:, None] * torch.tensor([1.0, 0.5, 0.2, 0.1])
    cos, sin = (torch.cat([f(angle), f(angle)], -1) for f in (torch.cos, torch.sin))
    left, right = x[..., :4], x[..., 4:]
    turned = torch.complex(left, right) * torch.polar(torch.ones_like(angle), angle)[:, None]
    expected = torch.cat([turned.real, turned.imag], -1)
    same(rotary_embedding(x, cos, sin), expected, (x,), draw(6, 2, 8).detach())
    torch.testing.assert_close(rotary_embedding(x, cos, sin).norm(dim=-1), x.norm(dim=-1), rtol=0, atol=1e-12)
    torch.testing.assert_close(rotary_embedding(rotary_embedding(x, cos, sin), cos, -sin), x, rtol=0, atol=1e-12)


def test_bfloat16_is_computed_in_float32():
    x = torch.randn(64, 512, generator=torch.Generator().manual_seed(0)).bfloat16()
    weight = torch.ones(512, dtype=torch.bfloat16)
    exact = rms_norm(x.double(), weight.double(), 1e-5)
    assert ((rms_norm(x, weight, 1e-5).double() - exact).abs() <= 2**-8 * exact.abs()).all()


def gradients(saving, x, weight):
    """Whether the graph of a product of silu(x) * x stores silu(x) * x, and the gradients."""
    with saving(gated, x, x) as product:
        memory = StorageWeakRef(product.untyped_storage())
        out = product @ weight
    del product
    gc.collect()
    return not memory.expired(), torch.autograd.grad(out.square().sum(), (x, weight))


def test_a_recomputed_result_is_not_stored_and_gives_the_same_gradients(draw):
    x, weight = draw(50, 24), draw(24, 8)
    (alive, theirs), (freed, mine) = gradients(stored, x, weight), gradients(recomputed, x, weight)
    assert (alive, freed) == (True, False)
    for a, b in zip(mine, theirs, strict=True):
        assert torch.equal(a, b)


def test_without_gradient_nothing_is_recomputed(draw):
    with torch.no_grad(), recomputed(gated, draw(5, 24), draw(5, 24)) as product:
        assert (product @ draw(24, 8)).shape == (5, 8)
