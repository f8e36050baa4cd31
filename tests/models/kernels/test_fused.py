"""The C++ of training against its formulas in float64, and against the same formulas in torch."""

import math
from pathlib import Path

import pytest
import torch

from posttrain.models import logprobs
from posttrain.models.kernels import elementwise, fused
from tests.machine.test_compiled import needs_compiler
from tests.models.exact import both, close, on_threads

pytestmark = needs_compiler


# ---- which tensors


def test_contiguous_tensors_of_one_supported_dtype_on_a_cpu_are_supported():
    x = torch.ones(4, 4)
    assert fused.supports(x, x)
    assert not fused.supports(x, x.t()[:2])
    assert not fused.supports(x.double())
    assert not fused.supports(x.half())
    assert not fused.supports(x, x.bfloat16())
    assert not fused.supports(x.to("meta"))


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="no list of what is loaded")
def test_there_is_one_openmp():
    assert fused.available()
    loaded = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()}
    assert len([path for path in loaded if "libgomp" in path]) <= 1


# ---- norm and rotary embedding


@both
@pytest.mark.parametrize("shape", [(7, 24), (5, 3, 40), (1, 1), (0, 8)])
def test_rms_norm_is_its_formula(draw, shape, dtype):
    x, weight = draw(*shape).to(dtype), draw(shape[-1]).to(dtype)
    actual, scale = fused.rms_norm(x, weight, 1e-3)
    exact = 1 / (x.double().square().mean(-1, keepdim=True) + 1e-3).sqrt()
    torch.testing.assert_close(scale.double(), exact, rtol=1e-6, atol=0)
    if len(x):
        close(actual, x.double() * exact * weight.double(), dtype, roundings=2)


def test_golden_numbers():
    actual, scale = fused.rms_norm(torch.tensor([[3.0, 4.0]]), torch.tensor([1.0, 2.0]), 0.0)
    torch.testing.assert_close(actual, torch.tensor([[3.0, 8.0]]) / 12.5**0.5)
    torch.testing.assert_close(scale, torch.tensor([[12.5**-0.5]]))
    quarter = fused.rotate(torch.tensor([[[1.0, 2.0, 3.0, 4.0]]]), torch.zeros(1, 4), torch.ones(1, 4))
    assert quarter.tolist() == [[[-3.0, -4.0, 1.0, 2.0]]]


@both
def test_rotation_is_a_complex_product(draw, dtype):
    x, angle = draw(6, 3, 48).to(dtype), draw(6, 24)
    cos, sin = (torch.cat([f(angle), f(angle)], -1).to(dtype) for f in (torch.cos, torch.sin))
    turn = torch.complex(cos.double(), sin.double())[:, None, :24]
    turned = torch.complex(x[..., :24].double(), x[..., 24:].double()) * turn
    close(fused.rotate(x, cos, sin), torch.cat([turned.real, turned.imag], -1), dtype)
    back = fused.rotate(fused.rotate(x, cos, sin), cos, -sin)
    torch.testing.assert_close(back, x, rtol=0.02 if dtype == torch.bfloat16 else 1e-5, atol=1e-2)


def test_bfloat16_is_rounded_as_torch_rounds_it(draw):
    """With cos = sin = 1 it adds and subtracts: ties, infinities and NaN included."""
    x = (draw(64, 1, 256) * torch.tensor([1e-40, 1e-3, 1.0, 1e38]).repeat(16)[:, None, None]).bfloat16()
    x[0, 0, :4], x[0, 0, 128:132] = (
        torch.tensor([1.0, 1.0078125, math.nan, math.inf]),
        torch.tensor([2**-8, 2**-8, 1, 2]),
    )
    one = torch.ones(64, 256, dtype=torch.bfloat16)
    left, right = x[..., :128].float(), x[..., 128:].float()
    expected = torch.cat([left - right, left + right], -1).bfloat16()
    torch.testing.assert_close(fused.rotate(x, one, one), expected, rtol=0, atol=0, equal_nan=True)


@both
def test_with_and_without_gradient_the_bits_are_the_same(draw, dtype):
    x, weight = draw(9, 2, 32).to(dtype), draw(32).to(dtype)
    cos, sin = draw(9, 32).to(dtype), draw(9, 32).to(dtype)
    for function, others in ((elementwise.rms_norm, (weight, 1e-5)), (elementwise.rotary_embedding, (cos, sin))):
        learning = function(x.clone().requires_grad_(), *others)
        assert learning.requires_grad
        with torch.no_grad():
            assert torch.equal(function(x, *others), learning.detach())


@both
def test_gradients_are_those_of_the_torch_operators(draw, dtype, as_torch):
    def gradients():
        x, weight = draw_x.clone().requires_grad_(), gain.clone().requires_grad_()
        actual = elementwise.rotary_embedding(elementwise.rms_norm(x, weight, 1e-5), cos, sin)
        return torch.autograd.grad((actual.float() * slope).sum(), (x, weight))

    draw_x, gain = draw(9, 2, 32).to(dtype), draw(32).to(dtype)
    cos, sin, slope = draw(9, 32).to(dtype), draw(9, 32).to(dtype), draw(9, 2, 32).float()
    for mine, theirs in zip(gradients(), as_torch(gradients), strict=True):
        size = theirs.abs().max()
        torch.testing.assert_close(mine / size, theirs / size, rtol=0, atol=1e-6 if dtype == torch.float32 else 0.03)


@both
@pytest.mark.parametrize("shape", [(7, 24), (70, 3, 130), (1, 5), (0, 8)])
def test_the_gradient_of_the_norm_is_its_derivative(draw, shape, dtype):
    x, weight, dy = (draw(*size).to(dtype) for size in (shape, shape[-1:], shape))
    wide = [y.double().requires_grad_() for y in (x, weight)]
    normed = wide[0] / (wide[0].square().mean(-1, keepdim=True) + 1e-3).sqrt() * wide[1]
    exact = torch.autograd.grad(normed, wide, dy.double())
    dx, dweight = fused.rms_norm_backward(x, weight, fused.rms_norm(x, weight, 1e-3)[1], dy)
    if len(x):
        close(dx, exact[0], dtype)
        close(dweight, exact[1], torch.float32)
    else:
        assert dweight.tolist() == [0] * 8


def test_golden_derivative_of_the_norm():
    """At (3, 4): a gradient along it vanishes, one across it is divided by sqrt(12.5)."""
    x, scale = torch.tensor([[3.0, 4.0]]), torch.tensor([[12.5**-0.5]])
    dx, dweight = fused.rms_norm_backward(x, torch.tensor([1.0, 1.0]), scale, torch.tensor([[7.0, 1.0]]))
    torch.testing.assert_close(dx, torch.tensor([[4.0, -3.0]]) / 12.5**0.5)  # (7, 1) is (3, 4) and (4, -3)
    torch.testing.assert_close(dweight, torch.tensor([21.0, 4.0]) / 12.5**0.5)


def test_threads_change_no_bit_of_the_derivative(draw):
    x, weight, dy = draw(50, 130).float(), draw(130).float(), draw(50, 130).float()
    first, *others = on_threads(lambda: fused.rms_norm_backward(x, weight, fused.rms_norm(x, weight, 1e-5)[1], dy))
    for other in others:
        assert all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


# ---- the gate


@both
@pytest.mark.parametrize("shape", [(7, 24), (3, 5, 43), (1, 1), (0, 8)])
def test_the_gate_is_its_formula_with_its_derivative(draw, shape, dtype):
    gate, up, dy = (3 * draw(*shape).to(dtype) for _ in range(3))
    wide = [x.double().requires_grad_() for x in (gate, up)]
    product = torch.nn.functional.silu(wide[0]) * wide[1]
    exact = torch.autograd.grad(product, wide, dy.double())
    for actual, expected in zip(
        (fused.gated(gate, up), *fused.gated_backward(gate, up, dy)), (product, *exact), strict=True
    ):
        if actual.numel():
            close(actual, expected.detach(), dtype, roundings=2)


def test_golden_gate():
    """silu(log 3) = 3/4 log 3, with derivative 3/4 + 3/16 log 3. For large gates it is the gate itself, or 0."""
    gate, up = torch.tensor([math.log(3), 200.0, -200.0, math.nan]), torch.full((4,), 2.0)
    expected = torch.tensor([1.5 * math.log(3), 400.0, 0.0, math.nan])
    torch.testing.assert_close(fused.gated(gate, up), expected, equal_nan=True)
    dgate, dup = fused.gated_backward(gate, up, torch.full((4,), 4.0))
    slopes = torch.tensor([6 + 1.5 * math.log(3), 8.0, 0.0, math.nan])
    torch.testing.assert_close(dgate, slopes, equal_nan=True)
    torch.testing.assert_close(dup, 2 * expected, equal_nan=True)


def test_threads_change_no_bit_of_the_gate(draw):
    gate, up, dy = (draw(50, 130).bfloat16() for _ in range(3))
    first, *others = on_threads(lambda: (fused.gated(gate, up), *fused.gated_backward(gate, up, dy)))
    for other in others:
        assert all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


# ---- the softmax over the vocabulary


class Problem:
    """Hidden states, an output layer and targets."""

    def __init__(self, draw, dtype, tokens=9, vocab_size=700, temperature=True):
        self.hidden, self.weight = draw(tokens, 32).to(dtype), (0.2 * draw(vocab_size, 32)).to(dtype)
        self.targets = torch.arange(tokens) * 83 % vocab_size
        self.temperature = draw(tokens).abs().float() + 0.5 if temperature else 1.0
        self.slopes = draw(tokens).float(), draw(tokens).float()

    def results(self, dtype, want_entropy=True):
        """Log-probs, entropies, and the gradients of hidden states and weights, computed in a dtype."""
        inputs = [x.to(dtype).requires_grad_() for x in (self.hidden, self.weight)]
        tau = self.temperature.to(torch.promote_types(dtype, torch.float32))
        logp, entropy = logprobs.selected_logp(*inputs, None, self.targets, tau, want_entropy)
        loss = (logp * self.slopes[0]).sum() + ((entropy * self.slopes[1]).sum() if want_entropy else 0)
        return [logp.detach(), entropy.detach() if want_entropy else logp.detach(), *torch.autograd.grad(loss, inputs)]


def statistics(count):
    """The running statistics of an online softmax before the first tile: maximum, and three sums."""
    return torch.full((count,), -math.inf), torch.zeros(count), torch.zeros(count), torch.zeros(count)


@both
@pytest.mark.parametrize("want_entropy", [True, False])
@pytest.mark.parametrize(
    ("tile", "stored"), [(2**24, 2**25), (64, 2**25), (64, 0)], ids=["whole", "tiles", "recomputed"]
)
def test_the_softmax_is_its_formula_with_its_derivative(draw, dtype, want_entropy, tile, stored, monkeypatch):
    calls = []
    monkeypatch.setattr(logprobs, "TILE", tile)
    monkeypatch.setattr(logprobs, "STORED", stored)
    for name in ("accumulate_tile", "tile_backward"):
        own = getattr(fused, name)
        monkeypatch.setattr(fused, name, lambda *x, own=own: calls.append(own.__name__) or own(*x))
    case = Problem(draw, dtype)
    actual = case.results(dtype, want_entropy)
    tiles = 1 if tile > 64 else 3  # of 256 vocabulary entries
    assert calls.count("accumulate_tile") == calls.count("tile_backward") == tiles
    for mine, exact in zip(actual, case.results(torch.float64, want_entropy), strict=True):
        distance, size = (mine.double() - exact).abs().max(), exact.abs().max()
        assert distance <= (1e-5 if dtype == torch.float32 else 0.02) * size


def test_golden_softmax():
    """Weights of 1, 2 and 5 at temperature 2: the logits are twice their logarithms."""
    tau, column = torch.tensor([2.0]), torch.tensor([1])
    maximum, sum_exp, sum_exp_score, target_score = statistics(1)
    for start, weights in ((0, [1.0]), (1, [2.0, 5.0])):  # two tiles
        logits = 2 * torch.tensor([weights]).log()
        fused.accumulate_tile(logits, tau, column - start, maximum, sum_exp, sum_exp_score, target_score)
    logsumexp = maximum + sum_exp.log()
    torch.testing.assert_close(logsumexp, torch.tensor([8.0]).log())
    torch.testing.assert_close(target_score, torch.tensor([2.0]).log())
    torch.testing.assert_close(sum_exp_score / sum_exp, torch.tensor([(2 * math.log(2) + 5 * math.log(5)) / 8]))
    logits, zero = 2 * torch.tensor([[1.0, 2.0, 5.0]]).log(), torch.zeros(1)
    fused.tile_backward(logits, tau, column, logsumexp, zero, torch.tensor([8.0]), zero)
    torch.testing.assert_close(logits, torch.tensor([[-1.0, 6.0, -5.0]]))


def test_impossible_tokens_get_no_gradient_and_nan_stays_nan(draw):
    logits = torch.tensor([[0.0, -math.inf, 0.0], [0.0, math.nan, 0.0]])
    tau, column = torch.ones(2), torch.zeros(2, dtype=torch.long)
    maximum, sum_exp, sum_exp_score, target_score = statistics(2)
    fused.accumulate_tile(logits, tau, column, maximum, sum_exp, sum_exp_score, target_score)
    logsumexp = maximum + sum_exp.log()
    assert sum_exp[0] == 2
    assert sum_exp_score[0] == 0
    assert logsumexp[1].isnan()
    fused.tile_backward(logits, tau, column, logsumexp, logsumexp, torch.ones(2), torch.ones(2))
    assert logits[0].tolist()[1] == 0
    assert logits[1].isnan().all()


def test_a_constant_added_to_all_logits_changes_nothing(draw):
    def logp_and_entropy(logits):
        maximum, sum_exp, sum_exp_score, target_score = statistics(5)
        fused.accumulate_tile(logits, torch.ones(5), torch.arange(5), maximum, sum_exp, sum_exp_score, target_score)
        logsumexp = maximum + sum_exp.log()
        return target_score - logsumexp, logsumexp - sum_exp_score / sum_exp

    logits = draw(5, 900).float()
    for actual, expected in zip(logp_and_entropy(logits + 30), logp_and_entropy(logits), strict=True):
        torch.testing.assert_close(actual, expected, rtol=0, atol=2e-5)


def test_threads_change_no_bit_of_the_softmax(draw):
    case = Problem(draw, torch.bfloat16)
    first, *others = on_threads(lambda: case.results(torch.bfloat16))
    for other in others:
        assert all(torch.equal(a, b) for a, b in zip(first, other, strict=True))
