"""The C++ of a decoding step against its formulas in float64, and against the same formulas in torch."""

import math

import pytest
import torch

from posttrain.models.attention import Decode, Packed, Prefill
from posttrain.models.cache import Cache
from posttrain.models.kernels import decode_step, elementwise
from posttrain.models.lora import add_lora
from posttrain.models.network import Network
from posttrain.sampling.decoding import Decoding
from posttrain.sampling.distribution import draw as draw_tokens
from tests.machine.test_compiled import needs_compiler
from tests.models.exact import both, close, on_threads
from tests.models.tiny import network, trunk

PAGE = decode_step.PAGE
pytestmark = needs_compiler  # with one, code that does not compile is a failure


# ---- products of few tokens


def has_product():
    return decode_step.supports_linear(torch.ones(1, 32).bfloat16(), torch.ones(32, 32).bfloat16())


multiplied = pytest.mark.skipif(not has_product(), reason="this processor has no AVX512-BF16")


@multiplied
@pytest.mark.parametrize("tokens", [0, 1, 3, 4, 7, 8, 13, 64])
@pytest.mark.parametrize(("inputs", "outputs"), [(32, 32), (192, 96), (224, 64), (576, 1536)])
def test_the_product_is_its_formula(draw, tokens, inputs, outputs):
    x, weight = draw(tokens, inputs).bfloat16(), draw(outputs, inputs).bfloat16()
    exact = x.double() @ weight.double().T
    actual = decode_step.linear(x, weight)
    assert actual.shape == exact.shape
    if tokens:
        close(actual, exact, torch.bfloat16)


@multiplied
def test_golden_product():
    """Output o reads only input 3 o modulo 64, and the weight is 2 there: every output of a panel is different."""
    weight = torch.zeros(96, 64)
    weight[torch.arange(96), 3 * torch.arange(96) % 64] = 2.0
    x = torch.arange(128.0).view(2, 64)
    actual = decode_step.linear(x.bfloat16(), weight.bfloat16())
    assert torch.equal(actual.float(), 2 * x[:, 3 * torch.arange(96) % 64])


@multiplied
def test_threads_and_other_tokens_change_no_bit_of_a_product(draw):
    x, weight = draw(23, 576).bfloat16(), draw(320, 576).bfloat16()
    alone = torch.cat([decode_step.linear(row[None], weight) for row in x])
    for actual in on_threads(lambda: decode_step.linear(x, weight)):
        assert torch.equal(actual, alone)


@multiplied
def test_which_products_are_supported():
    x, weight = torch.ones(decode_step.MAX_TOKENS, 64).bfloat16(), torch.ones(32, 64).bfloat16()
    assert decode_step.supports_linear(x, weight)
    assert not decode_step.supports_linear(torch.ones(decode_step.MAX_TOKENS + 1, 64).bfloat16(), weight)
    assert not decode_step.supports_linear(x.float(), weight.float())
    assert not decode_step.supports_linear(x[:, :40].contiguous(), weight[:, :40].contiguous())
    assert not decode_step.supports_linear(x, weight[:31])
    learning = weight.clone().requires_grad_()
    assert elementwise.linear(x, learning).requires_grad
    with torch.no_grad():
        assert torch.equal(elementwise.linear(x, learning), decode_step.linear(x, weight))
        bias = weight[:, 0]
        assert torch.equal(elementwise.linear(x, weight, bias), torch.nn.functional.linear(x, weight, bias))


# ---- attention of a decoding step


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


@multiplied
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


@multiplied
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


@multiplied
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


@multiplied
def test_threads_change_no_bit_of_a_layer():
    net = Network(trunk("Llama", **WHOLE).bfloat16())
    first, *others = on_threads(lambda: decoded(net, length=5))
    assert all(torch.equal(first, other) for other in others)


def test_float64_runs_as_torch_operators():
    decoding = Decoding(network(head_dim=32), 2, 8)
    decoding.logits([5, 6], [0, 0])
    assert not decoding.cache.compiled()


# ---- the next token


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
