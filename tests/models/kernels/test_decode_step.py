"""Attention and whole layers of a decoding step in C++, against their formulas in float64 and against torch."""

import math

import pytest
import torch

from posttrain.models.attention import Decode, Packed, Prefill
from posttrain.models.cache import Cache
from posttrain.models.kernels import decode_step
from posttrain.models.lora import add_lora
from posttrain.models.network import Network
from posttrain.sampling.decoding import Decoding
from tests.machine.test_compiled import needs_compiler
from tests.models.exact import both, close, on_threads
from tests.models.kernels.test_linear import needs_bf16_products
from tests.models.tiny import network, trunk

PAGE = decode_step.PAGE
pytestmark = needs_compiler


class Step:
    """Sequences in a cache, and one new query for each. Unwritten positions are NaN."""

    def __init__(self, draw, positions, heads=4, groups=2, width=32, dtype=torch.float32, spare=2):
        self.positions = torch.tensor(positions)
        count, longest = len(positions), max(positions) + 1
        pages, slots = -(-longest // PAGE), count + spare
        self.query = draw(count, heads, width).to(dtype)
        self.key, self.value = (
            draw(count, longest, groups, width).to(dtype),
            draw(count, longest, groups, width).to(dtype),
        )
        self.keys = torch.full((pages, slots, groups, width, PAGE), math.nan, dtype=dtype)
        self.values = torch.full((pages, slots, groups, PAGE, width), math.nan, dtype=dtype)
        for slot, position in enumerate(positions):
            written = torch.arange(position + 1)
            index = torch.full_like(written, slot), written // PAGE, written % PAGE
            decode_step.write(self.key[slot, written], self.value[slot, written], index, self.keys, self.values)

    def actual(self, scaling=0.3, window=None):
        return decode_step.attend(self.query, self.keys, self.values, self.positions, scaling, window)

    def exact(self, scaling=0.3, window=None):
        query, key, value = (x.double() for x in (self.query, self.key, self.value))
        shared = query.shape[1] // key.shape[2]
        key, value = key.repeat_interleave(shared, 2), value.repeat_interleave(shared, 2)
        position = torch.arange(key.shape[1])
        last = self.positions[:, None]
        seen = position <= last if window is None else (position <= last) & (position > last - window)
        scores = torch.einsum("nhd,nphd->nhp", query, key) * scaling
        weights = scores.masked_fill(~seen[:, None], -torch.inf).softmax(-1)
        return torch.einsum("nhp,nphd->nhd", weights, value)


EDGES = (0, 1, 31, 62, 63, 64, 65, 127, 128, 200)  # of pages


@both
@pytest.mark.parametrize("window", [None, 1, 5, 64, 130, 1000])
def test_attention_is_its_formula(draw, dtype, window):
    case = Step(draw, EDGES, dtype=dtype)
    close(case.actual(window=window), case.exact(window=window), dtype)


@pytest.mark.parametrize("width", decode_step.HEAD_WIDTHS)
@pytest.mark.parametrize(("heads", "groups"), [(1, 1), (3, 3), (2, 1), (9, 3), (4, 1), (5, 1), (16, 2)])
def test_every_width_and_number_of_heads(draw, heads, groups, width):
    case = Step(draw, (70, 3), heads, groups, width)
    close(case.actual(), case.exact(), torch.float32)


def test_golden_attention():
    """Two keys with weights 3/4 and 1/4."""
    keys, values = torch.zeros(1, 1, 1, 32, PAGE), torch.zeros(1, 1, 1, PAGE, 32)
    keys[0, 0, 0, 0, :2] = torch.tensor([math.log(3), 0.0])
    values[0, 0, 0, :2, 5] = torch.tensor([4.0, 8.0])
    query = torch.zeros(1, 1, 32)
    query[..., 0] = 2.0
    actual = decode_step.attend(query, keys, values, torch.tensor([1]), 0.5, None)
    torch.testing.assert_close(actual[0, 0, 5], torch.tensor(5.0))
    assert actual[0, 0].count_nonzero() == 1


def test_a_constant_added_to_all_scores_changes_nothing(draw):
    case = Step(draw, (100, 5))
    before = case.actual()
    shift = torch.zeros_like(case.query)
    shift[..., 0] = 3.0  # along a direction in which all keys are equal
    case.keys[:, :, :, 0] = 2.0
    base = case.actual()
    moved = decode_step.attend(case.query + shift, case.keys, case.values, case.positions, 0.3, None)
    torch.testing.assert_close(moved, base, rtol=1e-4, atol=1e-5)
    assert not torch.equal(before, base)


def test_scores_of_any_size(draw):
    case = Step(draw, EDGES)
    close(case.actual(scaling=1e4), case.exact(scaling=1e4), torch.float32)
    case.query *= 0
    close(case.actual(), case.exact(), torch.float32)


def test_nan_stays_nan_and_does_not_spread(draw):
    case = Step(draw, (70, 70, 70))
    case.keys[1, 1, :, :, 2] = math.nan
    case.query[2, 1] = math.nan
    actual = case.actual().isnan()
    assert not actual[0].any()
    assert actual[1].all()
    assert actual[2].any(-1).tolist() == [False, True, False, False]


def test_threads_and_neighbours_change_no_bit(draw):
    case = Step(draw, EDGES)
    alone = torch.cat(
        [decode_step.attend(case.query[i : i + 1], case.keys[:, i:].contiguous(), case.values[:, i:].contiguous(),
                      case.positions[i : i + 1], 0.3, None) for i in range(len(EDGES))]
    )  # fmt: skip
    for actual in on_threads(case.actual):
        assert torch.equal(actual, alone)


@both
@pytest.mark.parametrize("window", [None, 4])
def test_a_decoding_step_is_that_of_torch(draw, dtype, window):
    """Prefill, then one token for each slot; in torch it is computed in float64."""

    def run(dtype):
        cache = Cache(4, 2 * PAGE, PAGE)
        lengths, positions = [3, 70, 1], torch.tensor([3, 1, 70, 70])
        prompts, new = ([x[part].to(dtype) for x in inputs] for part in (slice(sum(lengths)), slice(-4, None)))
        Prefill(lengths, [[0], [2, 3], [1]], cache).attend(0, *prompts, 0.3, window)
        blocks = [(2, PAGE), (2, 2 * PAGE)]
        return Decode(positions, torch.arange(4), blocks, cache).attend(0, *new, 0.3, window), cache.compiled()

    inputs = [draw(80, heads, 64).to(dtype) for heads in (6, 2, 2)]
    (actual, compiled), (exact, otherwise) = run(dtype), run(torch.float64)
    assert (compiled, otherwise) == (True, False)
    close(actual, exact, dtype)


WHOLE = {"head_dim": 32, "intermediate_size": 96, "vocab_size": 64}  # sizes that the products support


@both
def test_a_model_samples_from_the_distribution_it_is_trained_with(dtype, as_torch):
    """The logits of decoding, compiled and in torch, and those of reading the whole sequence."""
    net = Network(trunk("Llama", **WHOLE).to(dtype))
    tokens = torch.randint(3, 40, (5, 20), generator=torch.Generator().manual_seed(1))

    def logits():
        decoding = Decoding(net, 5, 20)
        with torch.no_grad():
            out = [decoding.logits(tokens[:, i].tolist(), [i] * 5).clone() for i in range(20)]
        return torch.stack(out, 1), decoding.cache.compiled()

    (mine, compiled), (theirs, _) = logits(), as_torch(logits)
    assert compiled
    with torch.no_grad():
        whole = net.logits(net.states(tokens.flatten(), Packed([20] * 5))).view_as(mine)
    tolerance = 1e-4 if dtype == torch.float32 else 0.05
    size = theirs.abs().max()
    assert (mine - theirs).abs().max() <= tolerance * size
    assert (mine - whole).abs().max() <= tolerance * size


def recorded(monkeypatch, name):
    """The arguments of every call of a function from here on."""
    calls, own = [], getattr(decode_step, name)
    monkeypatch.setattr(decode_step, name, lambda *given: calls.append(given) or own(*given))
    return calls


@needs_bf16_products
def test_only_decoding_uses_our_own_product(monkeypatch):
    """So that models with equal weights measure equal log-probs. Hooks and adapters are called."""
    net, hooked = Network(trunk("Llama", **WHOLE).bfloat16()), []
    calls = recorded(monkeypatch, "linear")
    with torch.no_grad():
        net.logits(net.states(torch.tensor([5, 6, 7]), Packed([3])))
        assert not calls
        Decoding(net, 2, 8).logits([5, 6], [0, 0])
        assert len(calls) == 3 * 7 + 1
        calls.clear()
        net.trunk.model.layers[1].mlp.up_proj.register_forward_hook(lambda *_: hooked.append(1))
        add_lora(net, 2, 4.0, ["q_proj"], seed=0)
        Decoding(net, 2, 8).logits([5, 6], [0, 0])
    assert (len(calls), len(hooked)) == (3 * 6, 1)


def decoded(net, count=3, length=70):
    """Logits of decoding, from the second step on; the first one allocates the cache."""
    decoding, tokens = Decoding(net, count, length), torch.arange(count * length).view(count, length) * 7 % 40
    with torch.no_grad():
        out = [decoding.logits(tokens[:, i].tolist(), [i] * count).clone() for i in range(length)]
    return torch.stack(out)[1:]


@needs_bf16_products
@pytest.mark.parametrize("architecture", ["Llama", "Qwen3", "Mistral"])
def test_a_layer_in_one_call_is_its_operators_one_by_one(architecture, monkeypatch):
    """Including norms of queries and keys, and a window. The exponential of the gate is not that of torch."""
    net = Network(trunk(architecture, **WHOLE).bfloat16())
    with torch.no_grad():
        for seed, norm in enumerate(m for m in net.modules() if hasattr(m, "variance_epsilon")):
            norm.weight.normal_(1, 0.5, generator=torch.Generator().manual_seed(seed))
    calls = recorded(monkeypatch, "run_layer")
    actual = decoded(net)
    assert len(calls) == 3 * 69
    monkeypatch.setattr(decode_step, "supports_layer", lambda *_: False)
    expected = decoded(net)
    assert len(calls) == 3 * 69
    assert (actual - expected).abs().max() <= 0.01 * expected.abs().max()
    assert (actual == expected).float().mean() > 0.5


@needs_bf16_products
def test_which_layers_run_in_one_call(monkeypatch):
    """Not those with biases or norms of different eps, nor any layer while gradients are recorded."""
    calls = recorded(monkeypatch, "run_layer")
    decoded(Network(trunk("Qwen2", **WHOLE | {"head_dim": 32}).bfloat16()), length=3)
    assert not calls
    net = Network(trunk("Llama", **WHOLE).bfloat16())
    net.trunk.model.layers[1].input_layernorm.variance_epsilon = 0.5
    decoded(net, length=3)
    assert len(calls) == 2 * 2
    assert not decode_step.supports_layer(calls[0][0], calls[0][1], [x.float() for x in calls[0][-1]])
    decoding = Decoding(net, 1, 2)
    decoding.logits([5], [0])
    decoding.logits([5], [1])
    assert len(calls) == 2 * 2


@needs_bf16_products
def test_threads_change_no_bit_of_a_layer():
    net = Network(trunk("Llama", **WHOLE).bfloat16())
    first, *others = on_threads(lambda: decoded(net, length=5))
    assert all(torch.equal(first, other) for other in others)


def test_float64_runs_as_torch_operators():
    decoding = Decoding(network(head_dim=32), 2, 8)
    decoding.logits([5, 6], [0, 0])
    assert not decoding.cache.compiled()
