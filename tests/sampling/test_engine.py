import random

import pytest
import scipy.stats
import torch

from posttrain.core.rows import Rows
from posttrain.errors import ConfigError, ModelError
from posttrain.models.adapters import without_adapters
from posttrain.models.lora import add_lora
from posttrain.sampling.distribution import truncated
from posttrain.sampling.engine import Engine
from posttrain.sampling.request import Request
from tests.models.tiny import ARCHITECTURES, VOCABULARY, network, trunk

NEVER = frozenset[int]()


def requests(count, seed=0, **settings):
    generator = random.Random(seed)
    options = {"max_tokens": 8} | settings
    return [
        Request(tuple(generator.randrange(3, VOCABULARY) for _ in range(generator.randrange(1, 12))), seed=i, **options)
        for i in range(count)
    ]


def trainer_logp(net, request, completion):
    """The log-probs of a completion under the distribution it was drawn from, by the forward pass of training."""
    tokens = torch.tensor(request.prompt + completion.tokens)
    rows = Rows(torch.zeros(len(tokens), dtype=torch.long), torch.ones(len(tokens), dtype=torch.bool), 1)
    logits = net.outputs(tokens, rows, ["logits"])["logits"][len(request.prompt) :]
    count = len(logits)
    temperature, top_p = (torch.tensor([x] * count, dtype=torch.float64) for x in (request.temperature, request.top_p))
    log_p = truncated(logits, temperature, torch.tensor([request.top_k] * count), top_p).log_softmax(-1)
    return log_p[torch.arange(count), list(completion.tokens)]


def same(actual, expected, within=1e-10):
    assert [c.tokens for c in actual] == [c.tokens for c in expected]
    assert [c.ended for c in actual] == [c.ended for c in expected]
    for a, b in zip(actual, expected, strict=True):
        assert a.logp == pytest.approx(b.logp, abs=within)


@pytest.mark.paper("wang2023v62", "sheng2024sf5")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("settings", [{}, {"temperature": 0.7}, {"top_k": 5}, {"temperature": 1.3, "top_p": 0.8}])
def test_reported_logp_is_that_of_training(architecture, settings):
    net = network(architecture)
    asked = requests(6, **settings)
    for request, completion in zip(asked, Engine({"policy": net}, NEVER).generate(asked), strict=True):
        assert len(completion.tokens) == len(completion.logp) == 8
        expected = trainer_logp(net, request, completion)
        atol = 1e-4 if architecture == "Gemma3Text" else 1e-10  # its norms are computed in float32
        torch.testing.assert_close(torch.tensor(completion.logp, dtype=torch.float64), expected, rtol=0, atol=atol)


def test_samples_follow_the_exact_distribution_of_two_tokens():
    net = network(vocab_size=6)
    prompt = (3, 4)
    drawn = Engine({"policy": net}, NEVER, slots=500).generate([Request(prompt, i, 2, 0.8) for i in range(3000)])
    pairs = [(a, b) for a in range(6) for b in range(6)]
    rows = Rows(torch.arange(36).repeat_interleave(4), torch.ones(144, dtype=torch.bool), 36)
    tokens = torch.tensor([t for pair in pairs for t in prompt + pair])
    logp = net.outputs(tokens, rows, ["logp"], temperature=0.8)["logp"].detach().view(36, 4)[:, 2:].sum(1)
    counts = [sum(c.tokens == pair for c in drawn) for pair in pairs]
    frequent = (logp.exp() * 3000 >= 5).tolist()
    observed = [n for n, f in zip(counts, frequent, strict=True) if f]
    expected = [float(p) * 3000 for p, f in zip(logp.exp(), frequent, strict=True) if f]
    observed.append(3000 - sum(observed))
    expected.append(3000 - sum(expected))
    assert scipy.stats.chisquare(observed, expected).pvalue > 0.01


@pytest.mark.paper("liu2024w47")
def test_a_mixture_is_geometric():
    first, second = network(seed=1), network(seed=2)
    engine = Engine({"policy": first, "reference": second}, NEVER)
    mix = (("policy", 0.7), ("reference", 0.3))
    asked = requests(5, temperature=1.5)
    completions = engine.generate(asked, mix)
    for request, completion in zip(asked, completions, strict=True):
        tokens = torch.tensor(request.prompt + completion.tokens)
        rows = Rows(torch.zeros(len(tokens), dtype=torch.long), torch.ones(len(tokens), dtype=torch.bool), 1)
        a, b = (n.outputs(tokens, rows, ["logits"])["logits"].log_softmax(-1) for n in (first, second))
        log_p = ((0.7 * a + 0.3 * b) / 1.5).log_softmax(-1)[len(request.prompt) :]
        expected = log_p[torch.arange(8), list(completion.tokens)].tolist()
        assert completion.logp == pytest.approx(expected, abs=1e-10)
    same(engine.generate(asked, (("policy", 1.0), ("reference", 0.0))), engine.generate(asked))


@pytest.mark.parametrize("architecture", ["Llama", "Mistral", "GPT2"])
def test_greedy_is_what_transformers_generates(architecture):
    model = trunk(architecture)
    asked = requests(4, temperature=0.0, max_tokens=12)
    actual = Engine({"policy": network(architecture)}, NEVER).generate(asked)
    for request, completion in zip(asked, actual, strict=True):
        prompt = torch.tensor([request.prompt])
        whole = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), do_sample=False, max_new_tokens=12, eos_token_id=None
        )
        assert completion.tokens == tuple(whole[0, len(request.prompt) :].tolist())
        assert set(completion.logp) == {0.0}


@pytest.mark.parametrize("slots", [1, 3, 16])
def test_the_number_of_slots_does_not_matter(slots):
    net, stop = network(), frozenset({5, 9, 11, 13, 17})
    asked = [r for n in (1, 4, 20) for r in requests(6, seed=n, max_tokens=n)]
    expected = [Engine({"policy": net}, stop).generate([r])[0] for r in asked]
    assert len({len(c.tokens) for c in expected}) > 3
    same(Engine({"policy": net}, stop, slots).generate(asked), expected)


def test_equal_prompts_are_read_once_and_answered_as_separate_ones(monkeypatch):
    net = network()
    prompt, other = (4, 5, 6, 7, 8), (9, 8, 7)
    asked = [Request(p, i, 6) for i, p in enumerate([prompt, other, prompt, prompt, other])]
    alone = [Engine({"policy": net}, NEVER).generate([r])[0] for r in asked]
    read = []
    states = net.states
    monkeypatch.setattr(net, "states", lambda tokens, *how: read.append(len(tokens)) or states(tokens, *how))
    same(Engine({"policy": net}, NEVER).generate(asked), alone)
    assert read[0] == 4 + 2  # each distinct prompt, without its last token
    assert read[1:] == [5] * 6
    assert len({c.tokens for c in alone}) == 5  # the seeds differ


def test_a_group_that_is_admitted_in_several_steps_reads_its_prompt_once(monkeypatch):
    first, second = network(seed=1), network(seed=2)
    mix = (("policy", 0.7), ("reference", 0.3))
    prompt = (4, 5, 6, 7, 8)
    asked = [Request(prompt, i, 2 + 3 * i) for i in range(5)]  # slots become free one by one
    engine = Engine({"policy": first, "reference": second}, NEVER, slots=2)
    alone = [engine.generate([r], mix)[0] for r in asked]
    read = []
    states = second.states
    monkeypatch.setattr(second, "states", lambda tokens, *how: read.append(tokens.tolist()) or states(tokens, *how))
    same(engine.generate(asked, mix), alone)
    assert read.count(list(prompt[:-1])) == 1


def test_prompts_are_read_in_batches(monkeypatch):
    net = network()
    asked = requests(9)
    expected = Engine({"policy": net}, NEVER).generate(asked)
    monkeypatch.setattr("posttrain.sampling.slots.PREFILL_TOKENS", 10)
    same(Engine({"policy": net}, NEVER).generate(asked), expected)


def test_slots_grow_with_long_answers(monkeypatch):
    net = network()
    asked = requests(3, max_tokens=40)
    expected = Engine({"policy": net}, NEVER).generate(asked)
    monkeypatch.setattr("posttrain.sampling.engine.HEADROOM", 1)
    same(Engine({"policy": net}, NEVER).generate(asked), expected)


def test_a_stop_token_ends_the_answer_and_belongs_to_it():
    net = network()
    asked = requests(8, max_tokens=30)
    free = Engine({"policy": net}, NEVER).generate(asked)
    stop = frozenset(c.tokens[5] for c in free)
    for whole, cut in zip(free, Engine({"policy": net}, stop).generate(asked), strict=True):
        first = next(i for i, t in enumerate(whole.tokens) if t in stop)
        assert cut.tokens == whole.tokens[: first + 1]
        assert cut.ended
        assert not whole.ended


@pytest.mark.paper("sheng2024sf5")
def test_the_next_call_samples_from_the_new_weights():
    net = network().train()
    engine, asked = Engine({"policy": net}, NEVER), requests(4)
    before = engine.generate(asked)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    tokens = torch.tensor([3, 4, 5, 6])
    rows = Rows(torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.bool), 1)
    net.outputs(tokens, rows, ["logp"])["logp"].sum().backward()
    optimiser.step()
    after = engine.generate(asked)
    assert [c.logp for c in before] != [c.logp for c in after]
    for request, completion in zip(asked, after, strict=True):
        assert completion.logp == pytest.approx(trainer_logp(net, request, completion).tolist(), abs=1e-10)
    assert net.training


def test_adapters_take_part():
    net = network()
    asked = requests(3)
    plain = Engine({"policy": net}, NEVER).generate(asked)
    add_lora(net, rank=2, alpha=4)
    same(Engine({"policy": net}, NEVER).generate(asked), plain)
    with torch.no_grad():
        for name, p in net.named_parameters():
            if "lora_B" in name:
                p.fill_(0.5)
    adapted = Engine({"policy": net}, NEVER).generate(asked)
    assert adapted[0].logp == pytest.approx(trainer_logp(net, asked[0], adapted[0]).tolist(), abs=1e-6)
    assert [c.tokens for c in adapted] != [c.tokens for c in plain]
    with without_adapters(net):
        same(Engine({"policy": net}, NEVER).generate(asked), plain)


def test_progress_counts_up_to_all():
    seen = []
    Engine({"policy": network()}, frozenset({5}), slots=2).generate(requests(5), progress=lambda *x: seen.append(x))
    assert seen[-1] == (5, 5)
    assert seen == sorted(seen)


def test_no_requests():
    assert Engine({"policy": network()}, NEVER).generate([]) == []


def test_requests_that_do_not_fit_are_refused_before_anything_runs():
    engine = Engine({"policy": network()}, NEVER)
    with pytest.raises(ModelError, match="request 1: the prompt has 64 tokens and the model's context 64"):
        engine.generate([Request((3,), 0, 1), Request((3,) * 64, 0, 1)])
    with pytest.raises(ModelError, match="lower max_tokens to 4"):
        engine.generate([Request((3,) * 60, 0, 5)])
    assert len(engine.generate([Request((3,) * 60, 0, 4)])[0].tokens) == 4
    with pytest.raises(ModelError, match="token 40 is outside the vocabulary of 40"):
        engine.generate([Request((40,), 0, 1)])
    with pytest.raises(ConfigError, match=r"role 'polcy' \(did you mean 'policy'\?\)"):
        engine.generate([Request((3,), 0, 1)], (("polcy", 1.0),))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"prompt": ()}, "at least one token"),
        ({"max_tokens": 0}, "max_tokens must be at least 1, not 0"),
        ({"temperature": -1.0}, "temperature must be 0"),
        ({"top_k": -1}, "top_k must be 0"),
        ({"top_p": 0.0}, "top_p must be in"),
    ],
)
def test_impossible_requests(change, reason):
    with pytest.raises(ConfigError, match=reason):
        Request(**{"prompt": (3,), "seed": 0, "max_tokens": 1} | change)
