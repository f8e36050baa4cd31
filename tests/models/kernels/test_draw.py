"""The C++ that draws the next token, against its definition in float64 and against torch."""

import math

import pytest
import torch

from posttrain.sampling.distribution import draw as draw_tokens
from tests.machine.test_compiled import needs_compiler

pytestmark = needs_compiler


def random_scores(draw, count, vocabulary):
    return (draw(count, vocabulary) * 2).float()


@pytest.mark.parametrize("vocabulary", [1, 5, 256, 257, 3000])
def test_uniform_numbers_on_a_grid_draw_each_token_as_often_as_its_probability(draw, vocabulary):
    count, x = 20000, random_scores(draw, 1, vocabulary)
    uniform = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    tokens, logp = draw_tokens(x.expand(count, -1).contiguous(), uniform)
    exact = x[0].double().log_softmax(-1)
    actual = torch.bincount(tokens, minlength=vocabulary) / count
    assert (actual - exact.exp()).abs().max() <= 1.5 / count
    assert (tokens.diff() >= 0).all()
    torch.testing.assert_close(logp.double(), exact[tokens], rtol=0, atol=2e-6)


def test_drawn_tokens_are_those_of_torch(draw, as_torch):
    x = random_scores(draw, 200, 2000)
    uniform = torch.rand(200, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    (tokens, logp), (tokens_, logp_) = draw_tokens(x, uniform), as_torch(draw_tokens, x, uniform)
    assert torch.equal(tokens, tokens_)
    torch.testing.assert_close(logp, logp_, rtol=0, atol=2e-6)


def test_golden_draw():
    x = torch.tensor([[math.log(1.0), math.log(2.0), -math.inf, math.log(5.0)]]).expand(4, -1).contiguous()
    tokens, logp = draw_tokens(x, torch.tensor([0.0, 0.124, 0.374, 0.376], dtype=torch.float64))
    assert tokens.tolist() == [0, 0, 1, 3]
    torch.testing.assert_close(logp.exp(), torch.tensor([0.125, 0.125, 0.25, 0.625]))


def test_impossible_tokens_are_never_drawn_and_scores_may_have_any_size():
    x = torch.full((3, 700), -torch.inf)
    x[:, 600], x[:, 650], x[:, 3] = 1e30, 1e30, -1e30
    tokens, logp = draw_tokens(x, torch.tensor([0.0, 0.6, 1 - 2**-53], dtype=torch.float64))
    assert tokens.tolist() == [600, 650, 650]
    torch.testing.assert_close(logp, torch.full((3,), -math.log(2)))


def test_rounding_never_picks_a_token_of_probability_zero(draw):
    """The float32 sum of a block may exceed the sum of its entries, so that none exceeds the last number."""
    x = torch.full((50, 256), -torch.inf)
    x[:, :200] = random_scores(draw, 50, 200)
    tokens, logp = draw_tokens(x, torch.full((50,), 1 - 2**-53, dtype=torch.float64))
    assert int(tokens.max()) < 200
    assert logp.isfinite().all()


def test_nan_scores_give_nan_log_probs():
    x = torch.zeros(2, 300)
    x[1, 7] = math.nan
    tokens, logp = draw_tokens(x, torch.full((2,), 0.5, dtype=torch.float64))
    assert logp.isnan().tolist() == [False, True]
    assert 0 <= int(tokens[1]) < 300


@pytest.mark.parametrize("default", [torch.float64, torch.bfloat16], ids=str)
def test_the_default_dtype_of_torch_does_not_matter(draw, default):
    x, uniform = random_scores(draw, 5, 300), torch.full((5,), 0.7, dtype=torch.float64)
    tokens, logp = draw_tokens(x, uniform)
    before = torch.get_default_dtype()
    torch.set_default_dtype(default)
    try:
        tokens_, logp_ = draw_tokens(x, uniform)
    finally:
        torch.set_default_dtype(before)
    assert torch.equal(tokens, tokens_)
    assert torch.equal(logp, logp_)
