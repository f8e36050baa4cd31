import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from posttrain.models import logprobs
from posttrain.models.kernels import elementwise
from posttrain.models.logprobs import selected_logp


# One tile; tiles of four entries and slabs of two tokens; the same, and the backward pass recomputes the logits.
@pytest.fixture(params=[(2**24, 2**18, 77), (1, 2 * 4, 77), (1, 2 * 4, 76)], ids=["whole", "tiles", "recomputed"])
def problem(request, monkeypatch):
    tile, slab, stored = request.param
    monkeypatch.setattr(logprobs, "STORED", stored)
    monkeypatch.setattr(logprobs, "TILE", tile)
    monkeypatch.setattr(logprobs, "MIN_WIDTH", 4)
    monkeypatch.setattr(elementwise, "SLAB", slab)
    generator = torch.Generator().manual_seed(0)

    def normal(*shape):
        return torch.randn(*shape, dtype=torch.float64, generator=generator, requires_grad=True)

    targets = torch.randint(0, 11, (7,), generator=generator)
    temperature = torch.rand(7, dtype=torch.float64, generator=generator) + 0.5
    return normal(7, 5), normal(11, 5), normal(11), targets, temperature


def plain(hidden, weight, bias, targets, temperature):
    log_p = ((hidden @ weight.T + bias) / temperature[:, None]).log_softmax(-1)
    return log_p.gather(1, targets[:, None])[:, 0], -(log_p.exp() * log_p).sum(-1)


def test_values_are_those_of_log_softmax(problem):
    for actual, expected in zip(selected_logp(*problem, want_entropy=True), plain(*problem), strict=True):
        torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)


def test_gradients_by_finite_differences(problem):
    *inputs, targets, temperature = problem
    assert torch.autograd.gradcheck(lambda h, w, b: selected_logp(h, w, b, targets, temperature, True), inputs)


def test_gradients_are_those_of_log_softmax(problem):
    inputs, weights = problem[:3], torch.arange(7.0, dtype=torch.float64)

    def gradients(logp, entropy):
        return torch.autograd.grad((weights * logp).sum() + (weights.flip(0) * entropy).sum(), inputs)

    for actual, expected in zip(
        gradients(*selected_logp(*problem, want_entropy=True)), gradients(*plain(*problem)), strict=True
    ):
        torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)


def test_entropy_only_if_wanted_and_bias_only_if_given(problem):
    hidden, weight, bias, targets, _ = problem
    logp, entropy = selected_logp(hidden, weight, None, targets)
    expected, _ = plain(hidden, weight, torch.zeros_like(bias), targets, torch.ones(7, dtype=torch.float64))
    assert entropy is None
    torch.testing.assert_close(logp, expected, rtol=0, atol=1e-12)


@pytest.mark.fault("N8")
def test_bfloat16_is_softmaxed_and_summed_in_float32(problem):
    hidden, weight, _, targets, _ = (x.detach() for x in problem)
    hidden, weight = hidden.bfloat16().requires_grad_(), weight.bfloat16().requires_grad_()
    logp, _ = selected_logp(hidden, weight, None, targets)
    assert logp.dtype == torch.float32
    logp.sum().backward()
    assert hidden.grad.dtype == weight.grad.dtype == torch.bfloat16
    wide = weight.detach().double().requires_grad_()
    selected_logp(hidden.detach().double(), wide, None, targets)[0].sum().backward()
    torch.testing.assert_close(weight.grad.double(), wide.grad, rtol=0.02, atol=0.05)


def test_no_targets(problem):
    hidden, weight, *_ = problem
    logp, entropy = selected_logp(hidden[:0], weight, None, torch.zeros(0, dtype=torch.long), want_entropy=True)
    assert logp.shape == entropy.shape == (0,)


def test_stored_logits_are_computed_once(problem):
    hidden, weight, _, targets, _ = problem
    with FlopCounterMode(display=False) as count:
        selected_logp(hidden, weight, None, targets)[0].sum().backward()
    products = 3 if logprobs.STORED == len(hidden) * len(weight) else 4
    assert count.get_total_flops() == products * 2 * hidden.numel() * len(weight)
