import pytest
import torch

from posttrain.models.kernels import block_attention
from tests.models.test_attention import plain

SEVERAL, FEW, SHORT = 100, 9, block_attention.SHORT  # keys: more than SHORT, fewer, and SHORT


def draw(heads, width, seed, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, heads, width, 8, dtype=torch.float64, generator=generator).to(dtype).requires_grad_()


def by_rows(query, key, value, window):
    rows = zip(*(x.transpose(1, 2) for x in (query, key, value)), strict=True)
    return torch.stack([plain(*row, 0.5, window) for row in rows]).transpose(1, 2)


@pytest.mark.parametrize("window", [None, 4])
@pytest.mark.parametrize("width", [FEW, SEVERAL])
def test_causal_is_attention_by_its_formula_with_its_gradients(width, window):
    q, k, v, weight = (draw(heads, width, seed) for seed, heads in enumerate((4, 2, 2, 4)))
    actual, expected = block_attention.causal(q, k, v, 0.5, window), by_rows(q, k, v, window)
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)
    gradients = (torch.autograd.grad((x * weight).sum(), (q, k, v)) for x in (actual, expected))
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_slices_of_rows_with_masks_of_their_own_have_these_gradients_too(monkeypatch):
    monkeypatch.setattr(block_attention, "SLAB", 1)
    q, k, v, weight = (draw(heads, FEW, seed) for seed, heads in enumerate((4, 2, 2, 4)))
    position = torch.arange(FEW)
    seen = torch.stack([block_attention.visible(position, position[:, None], window) for window in (3, 5)])[:, None]
    attended = block_attention.masked(q, k, v, 0.5, seen)
    actual = torch.autograd.grad((attended * weight).sum(), (q, k, v))
    for row, window in enumerate((3, 5)):
        expected = torch.autograd.grad((by_rows(q, k, v, window)[row] * weight[row]).sum(), (q, k, v))
        for a, b in zip(actual, expected, strict=True):
            torch.testing.assert_close(a[row], b[row], rtol=0, atol=1e-12)


def test_the_weights_of_attention_are_not_stored():
    q, k, v = (draw(heads, SHORT, seed, torch.float32) for seed, heads in enumerate((4, 2, 2)))
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: saved.append(x) or x, lambda x: x):
        block_attention.causal(q, k, v, 0.5, None)
    given = sum(x.numel() for x in (q, k, v)) + SHORT**2  # and the mask
    assert sum(x.numel() for x in saved) == given
    assert block_attention.short(q, SHORT)


@pytest.mark.parametrize("width", [FEW, SEVERAL])
def test_masked_sees_what_the_mask_shows(width):
    q, k, v = (draw(heads, width, seed) for seed, heads in enumerate((4, 2, 2)))
    position = torch.arange(width)
    seen = torch.stack([block_attention.visible(position, position[:, None], window) for window in (3, 5)])[:, None]
    actual = block_attention.masked(q, k, v, 0.5, seen)
    for row, window in enumerate((3, 5)):
        torch.testing.assert_close(actual[row], by_rows(q, k, v, window)[row], rtol=0, atol=1e-12)


def test_both_kernels_are_equally_exact_in_bfloat16(monkeypatch):
    q, k, v = (draw(heads, FEW, seed, torch.bfloat16) for seed, heads in enumerate((4, 2, 2)))
    products = block_attention.causal(q, k, v, 0.5, None)
    monkeypatch.setattr(block_attention, "SHORT", 0)
    fused = block_attention.causal(q, k, v, 0.5, None)
    exact = by_rows(*(x.double() for x in (q, k, v)), None)
    assert not torch.equal(products, fused)  # or the two were the same kernel
    assert (products - exact).norm() < 2 * (fused - exact).norm()
