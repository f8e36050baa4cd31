"""AdamW on float32 masters."""

import pytest
import torch
from torch import nn

from posttrain.backends.local import optimiser as module
from posttrain.backends.local.optimiser import AdamW, Optimiser

SETTINGS = AdamW(max_grad_norm=0.0)


@pytest.fixture(params=[module.CHUNK, 4], ids=["whole", "parts"], autouse=True)
def part(request, monkeypatch):
    """The weight of the layer, 6 numbers, at once or in two parts."""
    monkeypatch.setattr(module, "CHUNK", request.param)


def linear(dtype=torch.float64, seed=0):
    layer = nn.Linear(3, 2, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64))
    return layer.to(dtype)


def push(layer, numbers):
    """A backward pass whose gradient is this number, for every parameter."""
    sum((p * numbers).sum() for p in layer.parameters()).backward()


def step(optimiser, rate):
    norm = optimiser.norm()
    optimiser.step(rate, norm)
    return float(norm)


def values(layer):
    return [p.detach().clone() for p in layer.parameters()]


def everything(optimiser):
    state = optimiser.live()
    return [*state["means"], *state["squares"], *state["low_bits"]]


class TestStep:
    def test_is_the_adam_of_torch(self):
        mine, theirs = linear(), linear()
        optimiser = Optimiser(list(mine.parameters()), SETTINGS)
        adam = torch.optim.Adam(theirs.parameters(), lr=0.01, betas=(0.9, 0.999), eps=1e-8)
        for number in (1.0, -2.0, 0.5):
            push(mine, number)
            step(optimiser, 0.01)
            adam.zero_grad()
            push(theirs, number)
            adam.step()
        for a, b in zip(values(mine), values(theirs), strict=True):
            assert torch.allclose(a, b, rtol=0, atol=1e-14)

    def test_forgets_the_gradient(self):
        layer = linear()
        optimiser = Optimiser(list(layer.parameters()), SETTINGS)
        push(layer, 1.0)
        step(optimiser, 0.01)
        assert all(p.grad is None for p in layer.parameters())
        before = values(layer)
        optimiser.step(0.01, optimiser.norm())  # no gradient: nothing moves
        assert all(torch.equal(a, b) for a, b in zip(before, values(layer), strict=True))

    def test_the_norm_is_that_before_clipping(self):
        layer = linear()
        optimiser = Optimiser(list(layer.parameters()), AdamW(max_grad_norm=0.1))
        push(layer, 2.0)
        assert step(optimiser, 0.0) == pytest.approx(2 * 8**0.5)

    def test_clipping_scales_all_gradients_alike(self):
        """Adam's first step does not see the scale, its second does: it is seen in the moments."""
        layer = linear()
        optimiser = Optimiser(list(layer.parameters()), AdamW(max_grad_norm=0.1))
        push(layer, 2.0)
        step(optimiser, 0.01)
        total = torch.cat(optimiser.state()["means"]).norm() / (1 - 0.9)
        assert float(total) == pytest.approx(0.1, rel=1e-4)

    def test_decay_moves_matrices_only(self):
        layer = linear()
        optimiser = Optimiser(list(layer.parameters()), AdamW(weight_decay=0.5, max_grad_norm=0.0))
        weight, bias = values(layer)
        push(layer, 0.0)
        step(optimiser, 0.1)
        assert torch.allclose(layer.weight, weight * (1 - 0.1 * 0.5))
        assert torch.equal(layer.bias, bias)

    def test_vectors_alone_are_fine(self):
        bias = nn.Parameter(torch.ones(3))
        optimiser = Optimiser([bias], SETTINGS)
        bias.sum().backward()
        step(optimiser, 0.5)
        assert torch.allclose(bias, torch.full((3,), 0.5))


class TestLowPrecision:
    def test_gradients_add_up_in_float32(self):
        """1 + 2^-9 is 1 in bf16: a sum of gradients in bf16 would lose the small ones."""
        layer = linear(torch.bfloat16)
        optimiser = Optimiser(list(layer.parameters()), SETTINGS)
        for number in (1.0, *[2.0**-9] * 8):
            push(layer, number)
        assert all(p.grad is None for p in layer.parameters())
        for state in optimiser.param_states:
            assert state.grad.dtype is torch.float32
            assert (state.grad == 1 + 8 * 2.0**-9).all()

    def test_steps_too_small_for_bf16_add_up_in_the_masters(self):
        layer = linear(torch.bfloat16)
        with torch.no_grad():
            layer.weight.fill_(1.0)
        optimiser = Optimiser(list(layer.parameters()), SETTINGS)
        for n in range(40):
            push(layer, 1.0)
            step(optimiser, 1e-4)
            if n == 0:
                assert (layer.weight == 1.0).all()  # the first step is below half a unit in the last place
        assert float(optimiser.param_states[0].master.read().mean()) == pytest.approx(1 - 40e-4, abs=1e-6)
        assert (layer.weight == torch.tensor(1 - 40e-4, dtype=torch.bfloat16)).all()

    def test_wide_parameters_are_their_own_masters(self):
        layer = linear(torch.float32)
        optimiser = Optimiser(list(layer.parameters()), SETTINGS)
        for state, p in zip(optimiser.param_states, layer.parameters(), strict=True):
            assert state.master.read().data_ptr() == p.data_ptr()
        assert optimiser.state()["low_bits"] == []

    def test_close_frees_the_model_for_another_optimiser(self):
        layer = linear(torch.bfloat16)
        first = Optimiser(list(layer.parameters()), SETTINGS)
        push(layer, 1.0)
        first.close()
        second = Optimiser(list(layer.parameters()), SETTINGS)
        push(layer, 1.0)
        assert all(m.grad is None for m in first.param_states)
        assert float(second.norm()) == pytest.approx(8**0.5)


class TestState:
    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
    def test_continues_bit_for_bit(self, dtype):
        mine, theirs = linear(dtype), linear(dtype)
        one, two = (Optimiser(list(layer.parameters()), SETTINGS) for layer in (mine, theirs))
        for number in (1.0, -0.3):
            push(mine, number)
            step(one, 0.01)
        theirs.load_state_dict(mine.state_dict())
        two.restore(one.state())
        for layer, optimiser in ((mine, one), (theirs, two)):
            push(layer, 0.7)
            step(optimiser, 0.01)
        for a, b in zip(values(mine) + everything(one), values(theirs) + everything(two), strict=True):
            assert torch.equal(a, b)

    def test_is_a_copy(self):
        layer = linear(torch.bfloat16)
        optimiser = Optimiser(list(layer.parameters()), SETTINGS)
        push(layer, 1.0)
        step(optimiser, 0.01)
        saved = optimiser.state()
        before = [x.clone() for x in everything(optimiser)]
        push(layer, 1.0)
        step(optimiser, 0.01)
        assert all(map(torch.equal, before, (*saved["means"], *saved["squares"], *saved["low_bits"])))
        assert not all(map(torch.equal, before, everything(optimiser)))
