"""Attention of rows in C++ against the same attention written out in float64, forward and backward."""

import pytest
import torch

from posttrain.models.attention import Packed
from posttrain.models.kernels.native import Functions
from posttrain.models.kernels.row_attention import Spans
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


def written_out(inputs, rows, scaling, window):
    """Row by row in float64, with the prefix as its first tokens."""
    query, key, value = inputs
    mixed = []
    for prefix, lead, start, length in rows:
        seen = torch.cat([torch.arange(prefix, prefix + lead), torch.arange(start, start + length)])
        mixed.append(plain(query[seen], key[seen], value[seen], scaling, window)[lead:])
    return torch.cat(mixed)


def gradients(function, inputs, slope):
    mixed = function(*inputs)
    return mixed.detach(), *torch.autograd.grad(mixed, inputs, slope)


def spans(rows):
    return Spans(torch.tensor(rows).view(-1, 4))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("window", [None, 1, 3, 17, 40])
@pytest.mark.parametrize(("heads", "groups", "width"), [(6, 2, 32), (3, 3, 16), (2, 1, 80)])
def test_it_is_attention_written_out_with_its_gradients(dtype, window, heads, groups, width):
    inputs, slope = tensors(dtype, heads, groups, width)
    exact = [x.detach().double().requires_grad_() for x in inputs]
    expected = gradients(lambda *qkv: written_out(qkv, ROWS, 0.3, window), exact, slope.double())
    found = gradients(lambda *qkv: spans(ROWS).attend(*qkv, 0.3, window), inputs, slope)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == dtype
        close(a, b, dtype, roundings=2)


def test_golden_numbers():
    """Two tokens, of which the second sees both with odds of 1 to 3."""
    query, key, value = torch.zeros(2, 1, 16), torch.zeros(2, 1, 16), torch.zeros(2, 1, 16)
    query[1, 0, 0], key[1, 0, 0] = 1.0, torch.tensor(3.0).log() / 0.5
    value[0, 0, 1], value[1, 0, 1] = 4.0, 8.0
    inputs, slope = [x.requires_grad_() for x in (query, key, value)], torch.zeros(2, 1, 16)
    slope[1, 0, 1] = 1.0
    mixed, dquery, dkey, dvalue = gradients(lambda *qkv: spans([(0, 0, 0, 2)]).attend(*qkv, 0.5, None), inputs, slope)
    torch.testing.assert_close(mixed[:, 0, 1], torch.tensor([4.0, 7.0]))
    torch.testing.assert_close(dvalue[:, 0, 1], torch.tensor([0.25, 0.75]))
    # Of the weights 1/4 and 3/4 the scores get 1/4 (4 - 7) and 3/4 (8 - 7).
    torch.testing.assert_close(dkey[:, 0, 0], 0.5 * torch.tensor([-0.75, 0.75]))
    torch.testing.assert_close(dquery[1, 0, 0], 0.5 * 0.75 * key[1, 0, 0])


def test_one_constant_more_in_all_scores_changes_nothing():
    """A direction in which all keys are alike: no weight depends on it, so its query gets no gradient there."""
    inputs, slope = tensors()
    with torch.no_grad():
        inputs[1][:, :, 0] = 2.0
    moved = [x.detach().clone() for x in inputs]
    moved[0][:, :, 0] += 5.0
    mixed, dquery, *_ = gradients(lambda *qkv: spans(ROWS).attend(*qkv, 0.3, None), inputs, slope)
    torch.testing.assert_close(spans(ROWS).attend(*moved, 0.3, None), mixed, rtol=1e-5, atol=1e-5)
    assert dquery[:, :, 0].abs().max() < 1e-5 * dquery.abs().max()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_threads_and_other_rows_change_no_bit(dtype):
    inputs, slope = tensors(dtype)
    first, *others = on_threads(lambda: gradients(lambda *qkv: spans(ROWS).attend(*qkv, 0.3, 17), inputs, slope))
    for found in others:
        assert all(torch.equal(a, b) for a, b in zip(first, found, strict=True))
    for count in (1, 40):
        row = [torch.cat([x[:5], x[76 : 76 + count]]).detach() for x in inputs]
        found = spans([(0, 0, 0, 5), (0, 5, 5, count)]).attend(*row, 0.3, 17)[5:]
        assert torch.equal(found, first[0][76 : 76 + count])


def test_a_shared_prefix_has_the_bits_of_rows_read_whole():
    (query, key, value), _ = tensors(count=45)
    whole = torch.cat([torch.arange(20), torch.arange(20, 32), torch.arange(20), torch.arange(32, 45)])
    with torch.no_grad():
        shared = SharedPacked([20], [0, 0], [12, 13]).attend(0, query, key, value, 0.3, None)
        apart = Packed([32, 33]).attend(0, query[whole], key[whole], value[whole], 0.3, None)
    assert torch.equal(shared[whole], apart)


@pytest.mark.parametrize("window", [None, 9])
def test_layouts_find_what_torch_finds(window, monkeypatch):
    layouts = {76: Packed([5, 1, 0, 70]), COUNT: SharedPacked([5, 1, 70], [0, 0, 2, 1], [40, 33, 7, 2])}
    for count, layout in layouts.items():
        inputs, slope = tensors(count=count)
        assert layout._spans.runs(*inputs)
        found = gradients(lambda *qkv, a=layout: a.attend(0, *qkv, 0.3, window), inputs, slope)
        with monkeypatch.context() as patch:
            patch.setattr(Functions, "available", lambda _: False)
            assert not layout._spans.runs(*inputs)
            expected = gradients(lambda *qkv, a=layout: a.attend(0, *qkv, 0.3, window), inputs, slope)
        for a, b in zip(found, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_scores_far_apart_and_no_rows():
    inputs, slope = tensors(size=40.0)
    for x in gradients(lambda *qkv: spans(ROWS).attend(*qkv, 1.0, None), inputs, slope):
        assert x.isfinite().all()
    none = [x.detach()[:0].requires_grad_() for x in inputs]
    for x in gradients(lambda *qkv: spans([]).attend(*qkv, 1.0, None), none, slope[:0]):
        assert len(x) == 0


def test_which_tensors():
    (query, key, value), _ = tensors()
    runs = spans(ROWS).runs
    assert runs(query, key, value)
    assert runs(query.transpose(0, 1).contiguous().transpose(0, 1), key, value)
    assert not runs(query.double(), key.double(), value.double())
    assert not runs(query, key, value.bfloat16())
    assert not runs(query, key, value[..., :16])
    assert not runs(*(x[..., :8] for x in (query, key, value)))
    assert not runs(*(x.to("meta") for x in (query, key, value)))
