"""Attention of rows in C++ against its formula in float64, forward and backward."""

import pytest
import torch

from posttrain.models.attention import Packed
from posttrain.models.kernels.native import Functions
from posttrain.models.kernels.row_attention import RowAttention
from posttrain.models.prefixes import SharedPacked
from tests.machine.test_compiled import needs_compiler
from tests.models.exact import close, on_threads
from tests.models.test_attention import plain

pytestmark = needs_compiler

ROWS = [(0, 0, 0, 5), (0, 0, 5, 1), (0, 0, 6, 70), (0, 5, 76, 40), (0, 5, 116, 33), (6, 70, 149, 7), (5, 1, 156, 2)]
COUNT = 158


def tensors(dtype=torch.float32, heads=6, groups=2, width=32, count=COUNT, size=1.0):
    generator = torch.Generator().manual_seed(0)
    shapes = [(count, heads, width), (count, groups, width), (count, groups, width), (count, heads, width)]
    query, key, value, slope = (
        size * torch.randn(*shape, dtype=torch.float64, generator=generator) for shape in shapes
    )
    return [x.to(dtype).requires_grad_() for x in (query, key, value)], slope.to(dtype)


def by_formula(inputs, rows, scaling, window):
    """Row by row in float64, with the prefix as its first tokens."""
    query, key, value = inputs
    attended = []
    for prefix, prefix_length, start, length in rows:
        seen = torch.cat([torch.arange(prefix, prefix + prefix_length), torch.arange(start, start + length)])
        attended.append(plain(query[seen], key[seen], value[seen], scaling, window)[prefix_length:])
    return torch.cat(attended)


def gradients(function, inputs, slope):
    attended = function(*inputs)
    return attended.detach(), *torch.autograd.grad(attended, inputs, slope)


def row_attention(rows):
    return RowAttention(torch.tensor(rows).view(-1, 4))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("window", [None, 1, 3, 17, 40])
@pytest.mark.parametrize(("heads", "groups", "width"), [(6, 2, 32), (3, 3, 16), (2, 1, 80)])
def test_attention_is_its_formula_with_its_gradients(dtype, window, heads, groups, width):
    inputs, slope = tensors(dtype, heads, groups, width)
    exact = [x.detach().double().requires_grad_() for x in inputs]
    expected = gradients(lambda *qkv: by_formula(qkv, ROWS, 0.3, window), exact, slope.double())
    actual = gradients(lambda *qkv: row_attention(ROWS).attend(*qkv, 0.3, window), inputs, slope)
    for a, b in zip(actual, expected, strict=True):
        assert a.dtype == dtype
        close(a, b, dtype, roundings=2)


def test_golden_numbers():
    """Two tokens; the second gives them the weights 1/4 and 3/4."""
    query, key, value = torch.zeros(2, 1, 16), torch.zeros(2, 1, 16), torch.zeros(2, 1, 16)
    query[1, 0, 0], key[1, 0, 0] = 1.0, torch.tensor(3.0).log() / 0.5
    value[0, 0, 1], value[1, 0, 1] = 4.0, 8.0
    inputs, slope = [x.requires_grad_() for x in (query, key, value)], torch.zeros(2, 1, 16)
    slope[1, 0, 1] = 1.0
    attention = row_attention([(0, 0, 0, 2)])
    attended, dquery, dkey, dvalue = gradients(lambda *qkv: attention.attend(*qkv, 0.5, None), inputs, slope)
    torch.testing.assert_close(attended[:, 0, 1], torch.tensor([4.0, 7.0]))
    torch.testing.assert_close(dvalue[:, 0, 1], torch.tensor([0.25, 0.75]))
    # The gradients of the scores are 1/4 (4 - 7) and 3/4 (8 - 7).
    torch.testing.assert_close(dkey[:, 0, 0], 0.5 * torch.tensor([-0.75, 0.75]))
    torch.testing.assert_close(dquery[1, 0, 0], 0.5 * 0.75 * key[1, 0, 0])


def test_a_constant_added_to_all_scores_changes_nothing():
    """In a direction in which all keys are equal, no weight depends on the query, so it has no gradient there."""
    inputs, slope = tensors()
    with torch.no_grad():
        inputs[1][:, :, 0] = 2.0
    moved = [x.detach().clone() for x in inputs]
    moved[0][:, :, 0] += 5.0
    attended, dquery, *_ = gradients(lambda *qkv: row_attention(ROWS).attend(*qkv, 0.3, None), inputs, slope)
    torch.testing.assert_close(row_attention(ROWS).attend(*moved, 0.3, None), attended, rtol=1e-5, atol=1e-5)
    assert dquery[:, :, 0].abs().max() < 1e-5 * dquery.abs().max()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_threads_and_other_rows_change_no_bit(dtype):
    inputs, slope = tensors(dtype)
    attention = row_attention(ROWS)
    first, *others = on_threads(lambda: gradients(lambda *qkv: attention.attend(*qkv, 0.3, 17), inputs, slope))
    for actual in others:
        assert all(torch.equal(a, b) for a, b in zip(first, actual, strict=True))
    for count in (1, 40):
        row = [torch.cat([x[:5], x[76 : 76 + count]]).detach() for x in inputs]
        actual = row_attention([(0, 0, 0, 5), (0, 5, 5, count)]).attend(*row, 0.3, 17)[5:]
        assert torch.equal(actual, first[0][76 : 76 + count])


def test_a_shared_prefix_gives_the_bits_of_whole_rows():
    (query, key, value), _ = tensors(count=45)
    whole = torch.cat([torch.arange(20), torch.arange(20, 32), torch.arange(20), torch.arange(32, 45)])
    with torch.no_grad():
        shared = SharedPacked([20], [0, 0], [12, 13]).attend(0, query, key, value, 0.3, None)
        whole_rows = Packed([32, 33]).attend(0, query[whole], key[whole], value[whole], 0.3, None)
    assert torch.equal(shared[whole], whole_rows)


@pytest.mark.parametrize("window", [None, 9])
def test_layouts_give_what_torch_gives(window, monkeypatch):
    layouts = {76: Packed([5, 1, 0, 70]), COUNT: SharedPacked([5, 1, 70], [0, 0, 2, 1], [40, 33, 7, 2])}
    for count, layout in layouts.items():
        inputs, slope = tensors(count=count)
        assert layout.kernel.supports(*inputs)
        actual = gradients(lambda *qkv, a=layout: a.attend(0, *qkv, 0.3, window), inputs, slope)
        with monkeypatch.context() as patch:
            patch.setattr(Functions, "available", lambda _: False)
            assert not layout.kernel.supports(*inputs)
            expected = gradients(lambda *qkv, a=layout: a.attend(0, *qkv, 0.3, window), inputs, slope)
        for a, b in zip(actual, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_large_scores_and_no_rows():
    inputs, slope = tensors(size=40.0)
    for x in gradients(lambda *qkv: row_attention(ROWS).attend(*qkv, 1.0, None), inputs, slope):
        assert x.isfinite().all()
    none = [x.detach()[:0].requires_grad_() for x in inputs]
    for x in gradients(lambda *qkv: row_attention([]).attend(*qkv, 1.0, None), none, slope[:0]):
        assert len(x) == 0


def test_which_tensors_are_supported():
    (query, key, value), _ = tensors()
    supports = row_attention(ROWS).supports
    assert supports(query, key, value)
    assert supports(query.transpose(0, 1).contiguous().transpose(0, 1), key, value)
    assert not supports(query.double(), key.double(), value.double())
    assert not supports(query, key, value.bfloat16())
    assert not supports(query, key, value[..., :16])
    assert not supports(*(x[..., :8] for x in (query, key, value)))
    assert not supports(*(x.to("meta") for x in (query, key, value)))
