"""Temperature, truncation and drawing, against their definitions in float64."""

import pytest
import torch

from posttrain.sampling.distribution import BLOCK, draw, truncated


def settings(count, temperature=1.0, top_k=0, top_p=1.0):
    return (
        torch.full((count,), temperature, dtype=torch.float64),
        torch.full((count,), top_k),
        torch.full((count,), top_p, dtype=torch.float64),
    )


def scores(count, vocabulary, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, vocabulary, dtype=torch.float64, generator=generator) * 2


@pytest.mark.parametrize("vocabulary", [5, BLOCK, 3 * BLOCK + 17])
def test_uniform_numbers_on_a_grid_draw_each_token_as_often_as_its_probability(vocabulary):
    count = 20000
    x = scores(1, vocabulary)
    uniform = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    tokens, logp = draw(x.expand(count, -1), uniform)
    log_p = x[0].log_softmax(-1)
    actual = torch.bincount(tokens, minlength=vocabulary) / count
    assert (actual - log_p.exp()).abs().max() <= 1 / count  # inverse CDF: off by at most one grid point
    assert (tokens.diff() >= 0).all()
    torch.testing.assert_close(logp, log_p[tokens], rtol=0, atol=1e-12)


def test_tokens_of_probability_zero_are_never_drawn():
    x = torch.full((4, 2 * BLOCK), -torch.inf, dtype=torch.float64)
    x[:, 7], x[:, 300] = 0.0, 1.0
    ends = torch.tensor([0.0, 0.1, 0.999999, 1 - 2**-53], dtype=torch.float64)
    tokens, logp = draw(x, ends)
    assert tokens.tolist() == [7, 7, 300, 300]
    torch.testing.assert_close(logp.exp().sum() / 2, torch.tensor(1.0, dtype=torch.float64))
    tokens, _ = draw(x.float(), ends)
    assert tokens.tolist() == [7, 7, 300, 300]


def test_temperature():
    x = scores(3, 6)
    torch.testing.assert_close(truncated(x, *settings(3, temperature=2.0)), x / 2)


@pytest.mark.fault("N9")
def test_greedy_is_a_point_mass():
    x = scores(3, 6)
    tokens, logp = draw(
        truncated(x, *settings(3, temperature=0.0)), torch.tensor([0.0, 0.5, 0.999], dtype=torch.float64)
    )
    assert torch.equal(tokens, x.argmax(-1))
    assert logp.tolist() == [0, 0, 0]


def test_top_k_keeps_the_k_best_and_renormalises():
    x = scores(2, 50)
    actual = truncated(x, torch.ones(2), torch.tensor([3, 0]), torch.ones(2))
    assert actual[0].isfinite().nonzero()[:, 0].tolist() == sorted(x[0].topk(3).indices.tolist())
    assert torch.equal(actual[1], x[1])
    kept = x[0].topk(3).values
    torch.testing.assert_close(actual[0].softmax(-1).sort().values[-3:], kept.softmax(-1).sort().values)


@pytest.mark.parametrize("vocabulary", [20, 5000])  # the nucleus of uniform scores exceeds the first search
@pytest.mark.parametrize("scale", [1.0, 1e-3])
@pytest.mark.parametrize("p", [0.05, 0.5, 0.95])
def test_top_p_keeps_the_smallest_set_with_that_mass(vocabulary, scale, p):
    x = scores(2, vocabulary) * scale
    actual = truncated(x, *settings(2, top_p=p)).isfinite()
    for row, kept in zip(x.softmax(-1), actual, strict=True):
        order = row.sort(descending=True)
        count = int((order.values.cumsum(0) < p).sum()) + 1
        assert kept.nonzero()[:, 0].tolist() == sorted(order.indices[:count].tolist())


def test_top_p_applies_to_the_result_of_top_k():
    x = torch.tensor([[0.4, 0.3, 0.2, 0.1]], dtype=torch.float64).log()
    actual = truncated(x, *settings(1, top_k=2, top_p=0.5))
    assert actual.isfinite()[0].tolist() == [True, False, False, False]  # 0.4 / 0.7 > 0.5


def test_the_input_is_not_modified():
    x = scores(2, 6)
    before = x.clone()
    truncated(x, *settings(2, temperature=0.0, top_k=1, top_p=0.5))
    truncated(x, *settings(2, top_k=2, top_p=0.5))
    assert torch.equal(x, before)
