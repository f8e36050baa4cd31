"""The compiled functions against their formulas in float64, and against the same formulas as torch operators."""

import math
from pathlib import Path

import pytest
import torch

from posttrain.models import fused, head, passes
from posttrain.models.attention import Cache, Decode, Packed, Prefill
from posttrain.models.lora import add_lora
from posttrain.models.network import Network
from posttrain.sampling import law
from posttrain.sampling.decoding import Decoding
from tests.models.tiny import network, trunk
from tests.test_compiled import needs_compiler

PAGE = fused.PAGE
pytestmark = needs_compiler  # with one, code that does not compile is a failure


@pytest.fixture
def draw():
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: torch.randn(*shape, dtype=torch.float64, generator=generator)


@pytest.fixture
def as_torch(monkeypatch):
    """Runs a function as torch operators."""

    def run(function, *arguments):
        with monkeypatch.context() as patch:
            patch.setattr(fused, "runs", lambda *_: False)
            return function(*arguments)

    return run


def close(found, exact, dtype, roundings=1):
    """So many roundings of bfloat16, or as float32 adds up."""
    error, size = (found.double() - exact).abs(), exact.abs()
    allowed = 5e-6 * size.max() if dtype == torch.float32 else roundings * 2**-8 * size.clamp(min=size.max() / 16)
    assert (error <= allowed).all(), (error / allowed).max()


def on_threads(function):
    """What it returns on one, two and three threads."""
    threads, found = torch.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(function())
    finally:
        torch.set_num_threads(threads)
    return found


both = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])


# ---- which tensors


def test_only_whole_tensors_of_one_known_type_on_a_cpu():
    x = torch.ones(4, 4)
    assert fused.runs(x, x)
    assert not fused.runs(x, x.t()[:2])
    assert not fused.runs(x.double())
    assert not fused.runs(x.half())
    assert not fused.runs(x, x.bfloat16())
    assert not fused.runs(x.to("meta"))


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="no list of what is loaded")
def test_there_is_one_openmp():
    assert fused.available()
    loaded = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()}
    assert len([path for path in loaded if "libgomp" in path]) <= 1


# ---- norm and rotation


@both
@pytest.mark.parametrize("shape", [(7, 24), (5, 3, 40), (1, 1), (0, 8)])
def test_rms_norm_is_its_formula(draw, shape, dtype):
    x, weight = draw(*shape).to(dtype), draw(shape[-1]).to(dtype)
    found, scale = fused.rms_norm(x, weight, 1e-3)
    exact = 1 / (x.double().square().mean(-1, keepdim=True) + 1e-3).sqrt()
    torch.testing.assert_close(scale.double(), exact, rtol=1e-6, atol=0)
    if len(x):
        close(found, x.double() * exact * weight.double(), dtype, roundings=2)


def test_golden_numbers():
    found, scale = fused.rms_norm(torch.tensor([[3.0, 4.0]]), torch.tensor([1.0, 2.0]), 0.0)
    torch.testing.assert_close(found, torch.tensor([[3.0, 8.0]]) / 12.5**0.5)
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
    """A turn by one eighth and by sqrt(2) adds and subtracts: ties, infinities and what is not a number included."""
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
    for function, others in ((passes.rms_norm, (weight, 1e-5)), (passes.rotated, (cos, sin))):
        learning = function(x.clone().requires_grad_(), *others)
        assert learning.requires_grad
        with torch.no_grad():
            assert torch.equal(function(x, *others), learning.detach())


@both
def test_gradients_are_those_of_the_torch_operators(draw, dtype, as_torch):
    def gradients():
        x, weight = draw_x.clone().requires_grad_(), gain.clone().requires_grad_()
        found = passes.rotated(passes.rms_norm(x, weight, 1e-5), cos, sin)
        return torch.autograd.grad((found.float() * slope).sum(), (x, weight))

    draw_x, gain = draw(9, 2, 32).to(dtype), draw(32).to(dtype)
    cos, sin, slope = draw(9, 32).to(dtype), draw(9, 32).to(dtype), draw(9, 2, 32).float()
    for mine, theirs in zip(gradients(), as_torch(gradients), strict=True):
        size = theirs.abs().max()
        torch.testing.assert_close(mine / size, theirs / size, rtol=0, atol=1e-6 if dtype == torch.float32 else 0.03)


@both
@pytest.mark.parametrize("shape", [(7, 24), (70, 3, 130), (1, 5), (0, 8)])
def test_what_the_norm_gets_back_is_its_derivative(draw, shape, dtype):
    x, weight, dy = (draw(*size).to(dtype) for size in (shape, shape[-1:], shape))
    wide = [y.double().requires_grad_() for y in (x, weight)]
    normed = wide[0] / (wide[0].square().mean(-1, keepdim=True) + 1e-3).sqrt() * wide[1]
    exact = torch.autograd.grad(normed, wide, dy.double())
    dx, dweight = fused.rms_norm_back(x, weight, fused.rms_norm(x, weight, 1e-3)[1], dy)
    if len(x):
        close(dx, exact[0], dtype)
        close(dweight, exact[1], torch.float32)
    else:
        assert dweight.tolist() == [0] * 8


def test_golden_derivative_of_the_norm():
    """Of (3, 4): what lies along it is lost, what is across is divided by sqrt(12.5)."""
    x, scale = torch.tensor([[3.0, 4.0]]), torch.tensor([[12.5**-0.5]])
    dx, dweight = fused.rms_norm_back(x, torch.tensor([1.0, 1.0]), scale, torch.tensor([[7.0, 1.0]]))
    torch.testing.assert_close(dx, torch.tensor([[4.0, -3.0]]) / 12.5**0.5)  # (7, 1) is (3, 4) and (4, -3)
    torch.testing.assert_close(dweight, torch.tensor([21.0, 4.0]) / 12.5**0.5)


def test_threads_change_no_bit_of_the_derivative(draw):
    x, weight, dy = draw(50, 130).float(), draw(130).float(), draw(50, 130).float()
    first, *others = on_threads(lambda: fused.rms_norm_back(x, weight, fused.rms_norm(x, weight, 1e-5)[1], dy))
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
    for found, expected in zip(
        (fused.gated(gate, up), *fused.gated_back(gate, up, dy)), (product, *exact), strict=True
    ):
        if found.numel():
            close(found, expected.detach(), dtype, roundings=2)


def test_golden_gate():
    """silu(log 3) = 3/4 log 3, and its derivative is 3/4 + 3/16 log 3; far out it is the gate itself, or nothing."""
    gate, up = torch.tensor([math.log(3), 200.0, -200.0, math.nan]), torch.full((4,), 2.0)
    expected = torch.tensor([1.5 * math.log(3), 400.0, 0.0, math.nan])
    torch.testing.assert_close(fused.gated(gate, up), expected, equal_nan=True)
    dgate, dup = fused.gated_back(gate, up, torch.full((4,), 4.0))
    slopes = torch.tensor([6 + 1.5 * math.log(3), 8.0, 0.0, math.nan])
    torch.testing.assert_close(dgate, slopes, equal_nan=True)
    torch.testing.assert_close(dup, 2 * expected, equal_nan=True)


def test_threads_change_no_bit_of_the_gate(draw):
    gate, up, dy = (draw(50, 130).bfloat16() for _ in range(3))
    first, *others = on_threads(lambda: (fused.gated(gate, up), *fused.gated_back(gate, up, dy)))
    for other in others:
        assert all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


# ---- the law of all tokens


class Law:
    """Hidden states and a head, and what is asked of them."""

    def __init__(self, draw, dtype, tokens=9, words=700, temperature=True):
        self.hidden, self.weight = draw(tokens, 32).to(dtype), (0.2 * draw(words, 32)).to(dtype)
        self.targets = torch.arange(tokens) * 83 % words
        self.temperature = draw(tokens).abs().float() + 0.5 if temperature else 1.0
        self.slopes = draw(tokens).float(), draw(tokens).float()

    def found(self, kind, want_entropy=True):
        """Log-probs, entropies, and the gradients of hidden states and weights, computed in a type."""
        inputs = [x.to(kind).requires_grad_() for x in (self.hidden, self.weight)]
        tau = self.temperature.to(torch.promote_types(kind, torch.float32))
        logp, entropy = head.selected_logp(*inputs, None, self.targets, tau, want_entropy)
        loss = (logp * self.slopes[0]).sum() + ((entropy * self.slopes[1]).sum() if want_entropy else 0)
        return [logp.detach(), entropy.detach() if want_entropy else logp.detach(), *torch.autograd.grad(loss, inputs)]


@both
@pytest.mark.parametrize("want_entropy", [True, False])
@pytest.mark.parametrize(("tile", "few"), [(2**24, 2**25), (64, 2**25), (64, 0)], ids=["whole", "tiles", "again"])
def test_the_law_is_its_formula_with_its_derivative(draw, dtype, want_entropy, tile, few, monkeypatch):
    calls = []
    monkeypatch.setattr(head, "TILE", tile)
    monkeypatch.setattr(head, "FEW", few)
    for name in ("add_words", "back_words"):
        own = getattr(fused, name)
        monkeypatch.setattr(fused, name, lambda *x, own=own: calls.append(own.__name__) or own(*x))
    case = Law(draw, dtype)
    found = case.found(dtype, want_entropy)
    assert calls.count("add_words") == calls.count("back_words") == (1 if tile > 64 else 3)  # tiles of 256 words
    for mine, exact in zip(found, case.found(torch.float64, want_entropy), strict=True):
        distance, size = (mine.double() - exact).abs().max(), exact.abs().max()
        assert distance <= (1e-5 if dtype == torch.float32 else 0.02) * size


def test_golden_law():
    """Odds of 1, 2 and 5 at temperature 2: the logits are twice their logarithms."""
    tau, column = torch.tensor([2.0]), torch.tensor([1])
    top, mass, energy, chosen = torch.tensor([-math.inf]), torch.zeros(1), torch.zeros(1), torch.zeros(1)
    for start, odds in ((0, [1.0]), (1, [2.0, 5.0])):  # words pass by
        logits = 2 * torch.tensor([odds]).log()
        fused.add_words(logits, tau, column - start, top, mass, energy, chosen)
    whole = top + mass.log()
    torch.testing.assert_close(whole, torch.tensor([8.0]).log())
    torch.testing.assert_close(chosen, torch.tensor([2.0]).log())
    torch.testing.assert_close(energy / mass, torch.tensor([(2 * math.log(2) + 5 * math.log(5)) / 8]))
    logits, zero = 2 * torch.tensor([[1.0, 2.0, 5.0]]).log(), torch.zeros(1)
    fused.back_words(logits, tau, column, whole, zero, torch.tensor([8.0]), zero)
    torch.testing.assert_close(logits, torch.tensor([[-1.0, 6.0, -5.0]]))


def test_what_is_impossible_gets_nothing_and_what_is_not_a_number_stays_so(draw):
    logits = torch.tensor([[0.0, -math.inf, 0.0], [0.0, math.nan, 0.0]])
    tau, column = torch.ones(2), torch.zeros(2, dtype=torch.long)
    top, mass, energy, chosen = torch.full((2,), -math.inf), torch.zeros(2), torch.zeros(2), torch.zeros(2)
    fused.add_words(logits, tau, column, top, mass, energy, chosen)
    whole = top + mass.log()
    assert mass[0] == 2
    assert energy[0] == 0
    assert whole[1].isnan()
    fused.back_words(logits, tau, column, whole, whole, torch.ones(2), torch.ones(2))
    assert logits[0].tolist()[1] == 0
    assert logits[1].isnan().all()


def test_more_in_all_logits_changes_nothing(draw):
    def known(logits):
        top, mass, energy, chosen = torch.full((5,), -math.inf), torch.zeros(5), torch.zeros(5), torch.zeros(5)
        fused.add_words(logits, torch.ones(5), torch.arange(5), top, mass, energy, chosen)
        whole = top + mass.log()
        return chosen - whole, whole - energy / mass

    logits = draw(5, 900).float()
    for found, expected in zip(known(logits + 30), known(logits), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)


def test_threads_change_no_bit_of_the_law(draw):
    case = Law(draw, torch.bfloat16)
    first, *others = on_threads(lambda: case.found(torch.bfloat16))
    for other in others:
        assert all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


# ---- products of few tokens


def has_product():
    return fused.multiplies(torch.ones(1, 32).bfloat16(), torch.ones(32, 32).bfloat16())


multiplied = pytest.mark.skipif(not has_product(), reason="this processor does not multiply bfloat16")


@multiplied
@pytest.mark.parametrize("tokens", [0, 1, 3, 4, 7, 8, 13, 64])
@pytest.mark.parametrize(("inputs", "outputs"), [(32, 32), (192, 96), (224, 64), (576, 1536)])
def test_the_product_is_its_formula(draw, tokens, inputs, outputs):
    x, weight = draw(tokens, inputs).bfloat16(), draw(outputs, inputs).bfloat16()
    exact = x.double() @ weight.double().T
    found = fused.linear(x, weight)
    assert found.shape == exact.shape
    if tokens:
        close(found, exact, torch.bfloat16)


@multiplied
def test_golden_product():
    """Output o reads only input 3 o modulo 64, and it is 2 there: every place of every panel is another number."""
    weight = torch.zeros(96, 64)
    weight[torch.arange(96), 3 * torch.arange(96) % 64] = 2.0
    x = torch.arange(128.0).view(2, 64)
    found = fused.linear(x.bfloat16(), weight.bfloat16())
    assert torch.equal(found.float(), 2 * x[:, 3 * torch.arange(96) % 64])


@multiplied
def test_threads_and_other_tokens_change_no_bit_of_a_product(draw):
    x, weight = draw(23, 576).bfloat16(), draw(320, 576).bfloat16()
    alone = torch.cat([fused.linear(row[None], weight) for row in x])
    for found in on_threads(lambda: fused.linear(x, weight)):
        assert torch.equal(found, alone)


@multiplied
def test_which_products():
    x, weight = torch.ones(fused.FEW, 64).bfloat16(), torch.ones(32, 64).bfloat16()
    assert fused.multiplies(x, weight)
    assert not fused.multiplies(torch.ones(fused.FEW + 1, 64).bfloat16(), weight)
    assert not fused.multiplies(x.float(), weight.float())
    assert not fused.multiplies(x[:, :40].contiguous(), weight[:, :40].contiguous())
    assert not fused.multiplies(x, weight[:31])
    learning = weight.clone().requires_grad_()
    assert passes.linear(x, learning).requires_grad
    with torch.no_grad():
        assert torch.equal(passes.linear(x, learning), fused.linear(x, weight))
        assert torch.equal(passes.linear(x, weight, weight[:, 0]), torch.nn.functional.linear(x, weight, weight[:, 0]))


# ---- attention of a decoding step


class Step:
    """Sequences in a cache, and one new query for each; what is not written is not a number."""

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
            place = torch.arange(position + 1)
            where = torch.full_like(place, slot), place // PAGE, place % PAGE
            fused.write(self.key[slot, place], self.value[slot, place], where, self.keys, self.values)

    def found(self, scaling=0.3, window=None):
        return fused.attend(self.query, self.keys, self.values, self.positions, scaling, window)

    def exact(self, scaling=0.3, window=None):
        query, key, value = (x.double() for x in (self.query, self.key, self.value))
        shared = query.shape[1] // key.shape[2]
        key, value = key.repeat_interleave(shared, 2), value.repeat_interleave(shared, 2)
        place = torch.arange(key.shape[1])
        last = self.positions[:, None]
        seen = place <= last if window is None else (place <= last) & (place > last - window)
        scores = torch.einsum("nhd,nphd->nhp", query, key) * scaling
        law_ = scores.masked_fill(~seen[:, None], -torch.inf).softmax(-1)
        return torch.einsum("nhp,nphd->nhd", law_, value)


EDGES = (0, 1, 31, 62, 63, 64, 65, 127, 128, 200)  # of pages


@both
@pytest.mark.parametrize("window", [None, 1, 5, 64, 130, 1000])
def test_attention_is_its_formula(draw, dtype, window):
    step = Step(draw, EDGES, dtype=dtype)
    close(step.found(window=window), step.exact(window=window), dtype)


@pytest.mark.parametrize("width", fused.WIDTHS)
@pytest.mark.parametrize(("heads", "groups"), [(1, 1), (3, 3), (2, 1), (9, 3), (4, 1), (5, 1), (16, 2)])
def test_every_width_and_number_of_heads(draw, heads, groups, width):
    step = Step(draw, (70, 3), heads, groups, width)
    close(step.found(), step.exact(), torch.float32)


def test_golden_attention():
    """Two keys with odds 3 : 1, so three quarters of one value and a quarter of the other."""
    keys, values = torch.zeros(1, 1, 1, 32, PAGE), torch.zeros(1, 1, 1, PAGE, 32)
    keys[0, 0, 0, 0, :2] = torch.tensor([math.log(3), 0.0])
    values[0, 0, 0, :2, 5] = torch.tensor([4.0, 8.0])
    query = torch.zeros(1, 1, 32)
    query[..., 0] = 2.0
    found = fused.attend(query, keys, values, torch.tensor([1]), 0.5, None)
    torch.testing.assert_close(found[0, 0, 5], torch.tensor(5.0))
    assert found[0, 0].count_nonzero() == 1


def test_what_adds_a_constant_to_all_scores_changes_nothing(draw):
    step = Step(draw, (100, 5))
    before = step.found()
    shift = torch.zeros_like(step.query)
    shift[..., 0] = 3.0  # along a direction in which all keys are alike
    step.keys[:, :, :, 0] = 2.0
    base, moved = step.found(), fused.attend(step.query + shift, step.keys, step.values, step.positions, 0.3, None)
    torch.testing.assert_close(moved, base, rtol=1e-4, atol=1e-5)
    assert not torch.equal(before, base)


def test_scores_of_any_size(draw):
    step = Step(draw, EDGES)
    close(step.found(scaling=1e4), step.exact(scaling=1e4), torch.float32)
    step.query *= 0
    close(step.found(), step.exact(), torch.float32)


def test_what_is_not_a_number_stays_so(draw):
    step = Step(draw, (70, 70, 70))
    step.keys[1, 1, :, :, 2] = math.nan
    step.query[2, 1] = math.nan
    found = step.found().isnan()
    assert not found[0].any()
    assert found[1].all()
    assert found[2].any(-1).tolist() == [False, True, False, False]


def test_threads_and_neighbours_change_no_bit(draw):
    step = Step(draw, EDGES)
    alone = torch.cat(
        [fused.attend(step.query[i : i + 1], step.keys[:, i:].contiguous(), step.values[:, i:].contiguous(),
                      step.positions[i : i + 1], 0.3, None) for i in range(len(EDGES))]
    )  # fmt: skip
    for found in on_threads(step.found):
        assert torch.equal(found, alone)


@both
@pytest.mark.parametrize("window", [None, 4])
def test_a_decoding_step_is_that_of_torch(draw, dtype, window):
    """Prompts are read, then one token each; the torch operators do it in float64."""

    def step(kind):
        cache = Cache(4, 2 * PAGE, PAGE)
        lengths, positions = [3, 70, 1], torch.tensor([3, 1, 70, 70])
        prompts, new = ([x[part].to(kind) for x in inputs] for part in (slice(sum(lengths)), slice(-4, None)))
        Prefill(lengths, [[0], [2, 3], [1]], cache).attend(0, *prompts, 0.3, window)
        blocks = [(2, PAGE), (2, 2 * PAGE)]
        return Decode(positions, torch.arange(4), blocks, cache).attend(0, *new, 0.3, window), cache.compiled()

    inputs = [draw(80, heads, 64).to(dtype) for heads in (6, 2, 2)]
    (found, compiled), (exact, otherwise) = step(dtype), step(torch.float64)
    assert (compiled, otherwise) == (True, False)
    close(found, exact, dtype)


WHOLE = {"head_dim": 32, "intermediate_size": 96, "vocab_size": 64}  # sizes that the products take


@both
def test_a_model_draws_from_the_law_it_is_trained_with(dtype, as_torch):
    """Scores of decoding, compiled and not, and those of reading the whole sequence."""
    net = Network(trunk("Llama", **WHOLE).to(dtype))
    tokens = torch.randint(3, 40, (5, 20), generator=torch.Generator().manual_seed(1))

    def scores():
        decoding = Decoding(net, 5, 20)
        with torch.no_grad():
            out = [decoding.scores(tokens[:, i].tolist(), [i] * 5).clone() for i in range(20)]
        return torch.stack(out, 1), decoding.cache.compiled()

    (mine, compiled), (theirs, _) = scores(), as_torch(scores)
    assert compiled
    with torch.no_grad():
        whole = net.logits(net.states(tokens.flatten(), Packed([20] * 5))).view_as(mine)
    tolerance = 1e-4 if dtype == torch.float32 else 0.05
    size = theirs.abs().max()
    assert (mine - theirs).abs().max() <= tolerance * size
    assert (mine - whole).abs().max() <= tolerance * size


@multiplied
def test_only_decoding_multiplies_its_own_way(monkeypatch):
    """Measured log-probs of equal weights are equal, whatever the number of tokens; hooks and adapters are called."""
    net, calls, seen = Network(trunk("Llama", **WHOLE).bfloat16()), [], []
    monkeypatch.setattr(fused, "linear", lambda *given, own=fused.linear: calls.append(given) or own(*given))
    with torch.no_grad():
        net.logits(net.states(torch.tensor([5, 6, 7]), Packed([3])))
        assert not calls
        Decoding(net, 2, 8).scores([5, 6], [0, 0])
        assert len(calls) == 3 * 7 + 1
        calls.clear()
        net.trunk.model.layers[1].mlp.up_proj.register_forward_hook(lambda *_: seen.append(1))
        add_lora(net, 2, 4.0, ["q_proj"], seed=0)
        Decoding(net, 2, 8).scores([5, 6], [0, 0])
    assert (len(calls), len(seen)) == (3 * 6, 1)


def decoded(net, count=3, length=70):
    """Scores of decoding sequences that begin one after the other, after the first step, which makes the cache."""
    decoding, tokens = Decoding(net, count, length), torch.arange(count * length).view(count, length) * 7 % 40
    with torch.no_grad():
        out = [decoding.scores(tokens[:, i].tolist(), [i] * count).clone() for i in range(length)]
    return torch.stack(out)[1:]


@multiplied
@pytest.mark.parametrize("architecture", ["Llama", "Qwen3", "Mistral"])
def test_a_layer_in_one_call_is_its_steps(architecture, monkeypatch):
    """Norms of queries and keys and a window included; the exponential of the gate is not that of torch."""
    calls, net = [], Network(trunk(architecture, **WHOLE).bfloat16())
    with torch.no_grad():
        for norm in (m for m in net.modules() if hasattr(m, "variance_epsilon")):
            norm.weight.normal_(1, 0.5, generator=torch.Generator().manual_seed(len(calls)))
    monkeypatch.setattr(fused, "run_layer", lambda *given, own=fused.run_layer: calls.append(given) or own(*given))
    found = decoded(net)
    assert len(calls) == 3 * 69
    monkeypatch.setattr(fused, "takes_layer", lambda *_: False)
    expected = decoded(net)
    assert len(calls) == 3 * 69
    assert (found - expected).abs().max() <= 0.01 * expected.abs().max()
    assert (found == expected).float().mean() > 0.5


@multiplied
def test_which_layers_run_in_one_call(monkeypatch):
    """Not those with a bias, or norms of different kinds, nor while gradients are asked for."""
    taken = []
    monkeypatch.setattr(fused, "run_layer", lambda *given, own=fused.run_layer: taken.append(given) or own(*given))
    decoded(Network(trunk("Qwen2", **WHOLE | {"head_dim": 32}).bfloat16()), length=3)
    assert not taken
    net = Network(trunk("Llama", **WHOLE).bfloat16())
    net.trunk.model.layers[1].input_layernorm.variance_epsilon = 0.5
    decoded(net, length=3)
    assert len(taken) == 2 * 2
    decoding = Decoding(net, 1, 2)
    decoding.scores([5], [0])
    decoding.scores([5], [1])
    assert len(taken) == 2 * 2


@multiplied
def test_threads_change_no_bit_of_a_layer():
    net = Network(trunk("Llama", **WHOLE).bfloat16())
    first, *others = on_threads(lambda: decoded(net, length=5))
    assert all(torch.equal(first, other) for other in others)


def test_float64_runs_as_torch_operators():
    decoding = Decoding(network(head_dim=32), 2, 8)
    decoding.scores([5, 6], [0, 0])
    assert not decoding.cache.compiled()


# ---- the next token


def scores(draw, count, vocabulary):
    return (draw(count, vocabulary) * 2).float()


@pytest.mark.parametrize("vocabulary", [1, 5, 256, 257, 3000])
def test_uniform_numbers_on_a_grid_draw_each_token_as_often_as_its_probability(draw, vocabulary):
    count, x = 20000, scores(draw, 1, vocabulary)
    uniform = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    tokens, logp = law.draw(x.expand(count, -1).contiguous(), uniform)
    exact = x[0].double().log_softmax(-1)
    found = torch.bincount(tokens, minlength=vocabulary) / count
    assert (found - exact.exp()).abs().max() <= 1.5 / count
    assert (tokens.diff() >= 0).all()
    torch.testing.assert_close(logp.double(), exact[tokens], rtol=0, atol=2e-6)


def test_drawn_tokens_are_those_of_torch(draw, as_torch):
    x = scores(draw, 200, 2000)
    uniform = torch.rand(200, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    (tokens, logp), (tokens_, logp_) = law.draw(x, uniform), as_torch(law.draw, x, uniform)
    assert torch.equal(tokens, tokens_)
    torch.testing.assert_close(logp, logp_, rtol=0, atol=2e-6)


def test_golden_draw():
    x = torch.tensor([[math.log(1.0), math.log(2.0), -math.inf, math.log(5.0)]]).expand(4, -1).contiguous()
    tokens, logp = law.draw(x, torch.tensor([0.0, 0.124, 0.374, 0.376], dtype=torch.float64))
    assert tokens.tolist() == [0, 0, 1, 3]
    torch.testing.assert_close(logp.exp(), torch.tensor([0.125, 0.125, 0.25, 0.625]))


def test_far_tokens_are_drawn_never_and_scores_of_any_size_are():
    x = torch.full((3, 700), -torch.inf)
    x[:, 600], x[:, 650], x[:, 3] = 1e30, 1e30, -1e30
    tokens, logp = law.draw(x, torch.tensor([0.0, 0.6, 1 - 2**-53], dtype=torch.float64))
    assert tokens.tolist() == [600, 650, 650]
    torch.testing.assert_close(logp, torch.full((3,), -math.log(2)))


def test_rounding_leads_to_no_token_of_probability_zero(draw):
    """The float32 sum of a block may be above the sum of its members, then the last number of all passes none."""
    x = torch.full((50, 256), -torch.inf)
    x[:, :200] = scores(draw, 50, 200)
    tokens, logp = law.draw(x, torch.full((50,), 1 - 2**-53, dtype=torch.float64))
    assert int(tokens.max()) < 200
    assert logp.isfinite().all()


def test_scores_that_are_not_numbers_give_log_probs_that_are_none():
    x = torch.zeros(2, 300)
    x[1, 7] = math.nan
    tokens, logp = law.draw(x, torch.full((2,), 0.5, dtype=torch.float64))
    assert logp.isnan().tolist() == [False, True]
    assert 0 <= int(tokens[1]) < 300
