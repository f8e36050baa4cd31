from itertools import product

import pytest
import torch

from posttrain.models.attention import Decode, Packed, Prefill
from posttrain.models.cache import Cache


def plain(query, key, value, scaling, window):
    """Causal attention of one row, by its formula: [N, H, D] x [N, G, D]."""
    group = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(group, 1), value.repeat_interleave(group, 1)
    scores = torch.einsum("nhd,mhd->hnm", query, key) * scaling
    distance = torch.arange(len(query))[:, None] - torch.arange(len(key))
    seen = (distance >= 0) & (distance < (window or len(query) + 1))
    return torch.einsum("hnm,mhd->nhd", scores.masked_fill(~seen, -torch.inf).softmax(-1), value)


def draw(count, heads, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, heads, 8, dtype=torch.float64, generator=generator, requires_grad=True)


def test_packed_is_plain_attention_of_each_row_with_its_gradients():
    lengths = [3, 0, 9, 1, 8, 7]
    for window in (None, 3):
        q, k, v = draw(28, 4, 0), draw(28, 2, 1), draw(28, 2, 2)
        actual = Packed(lengths).attend(0, q, k, v, 0.5, window)
        rows = zip(*(x.split(lengths) for x in (q, k, v)), strict=True)
        expected = torch.cat([plain(*row, 0.5, window) for row in rows])
        torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)
        weight = draw(28, 4, 3).detach()
        for a, b in zip(
            torch.autograd.grad((actual * weight).sum(), (q, k, v)),
            torch.autograd.grad((expected * weight).sum(), (q, k, v)),
            strict=True,
        ):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_positions_start_anew_in_each_row():
    assert Packed([2, 3]).positions.tolist() == [0, 1, 0, 1, 2]


def test_decode_after_prefill_is_the_last_row_of_plain_attention():
    lengths = [4, 6]
    q, k, v = (draw(10, heads, seed).detach() for heads, seed in ((4, 0), (2, 1), (2, 2)))
    blocks_of = ([(3, 7)], [(2, 8), (1, 5)], [(1, 5), (2, 7)])
    for window, blocks, page in product((None, 3), blocks_of, (1, 2, 3, 64)):
        cache = Cache(slots=3, capacity=6, page=page)
        Prefill(lengths, [[2, 0], [1]], cache).attend(0, q, k, v, 0.5, window)
        cache.reserve(9)
        new = [draw(3, heads, seed).detach() for heads, seed in ((4, 3), (2, 4), (2, 5))]
        actual = Decode(torch.tensor([4, 6, 4]), torch.arange(3), blocks, cache).attend(0, *new, 0.5, window)
        for slot, row in enumerate((slice(0, 4), slice(4, 10), slice(0, 4))):
            whole = [torch.cat([old[row], x[slot : slot + 1]]) for old, x in zip((q, k, v), new, strict=True)]
            torch.testing.assert_close(actual[slot], plain(*whole, 0.5, window)[-1], rtol=0, atol=1e-12)


def test_a_moved_slot_continues_the_same_sequence():
    k, v, q = draw(5, 2, 0).detach(), draw(5, 2, 1).detach(), draw(5, 2, 2).detach()
    cache = Cache(slots=2, capacity=8)
    Prefill([5], [[1]], cache).attend(0, q, k, v, 1.0, None)
    cache.swap(1, 0)
    new = q[:1], k[:1], v[:1]
    whole = torch.cat([q, q[:1]]), torch.cat([k, k[:1]]), torch.cat([v, v[:1]])
    actual = Decode(torch.tensor([5]), torch.arange(1), [(1, 6)], cache).attend(0, *new, 1.0, None)
    torch.testing.assert_close(actual[0], plain(*whole, 1.0, None)[-1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("page", [1, 2, 5, 64])
def test_a_slot_is_read_and_copied_page_by_page(page):
    k, v, q = draw(5, 2, 0).detach(), draw(5, 2, 1).detach(), draw(5, 2, 2).detach()
    cache = Cache(slots=3, capacity=5, page=page)
    Prefill([5], [[1]], cache).attend(0, q, k, v, 1.0, None)
    cache.copy(1, [0, 2], 5)
    for length in (5, 3):
        for actual, given in zip(cache.read(0, torch.arange(3), length), (k, v), strict=True):
            assert torch.equal(actual, given[:length].transpose(0, 1).expand(3, -1, -1, -1))
    pieces = [keys.transpose(-1, -2) for keys, _ in cache.pages(0, slice(1, 3), 4)]
    assert torch.equal(torch.cat(pieces, -2), cache.read(0, torch.tensor([1, 2]), 4)[0])


def test_whole_pages_are_read_in_place():
    """A bf16 product would copy a part of a page."""
    cache = Cache(slots=5, capacity=12, page=4)
    Prefill([9], [[1]], cache).attend(0, *(draw(9, 2, seed).detach() for seed in range(3)), 1.0, None)
    for keys, values in cache.pages(0, slice(1, 4), 12):
        assert keys.is_contiguous()
        assert values.is_contiguous()
