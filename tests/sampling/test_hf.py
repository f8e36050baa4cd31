"""Sampling through transformers: the distributions and random numbers of the native engine, for any architecture."""

from dataclasses import replace

import pytest
import torch

from posttrain.errors import ConfigError, ModelError
from posttrain.models.lora import add_lora
from posttrain.models.without_adapters import WithoutAdapters
from posttrain.sampling.engine import Engine
from posttrain.sampling.hf import HfEngine
from posttrain.sampling.request import Completion, Pause, Request
from tests.models.tiny import UNUSUAL, VOCABULARY, network, padded
from tests.sampling.test_engine import requests, same, trainer_logp

NEVER = frozenset[int]()
STOP = frozenset({5, 9, 11})
SETTINGS = [{}, {"temperature": 0.7}, {"top_k": 5}, {"temperature": 1.3, "top_p": 0.8}]


def small(architecture="Gemma2"):
    """In float32, as in a run."""
    return padded(architecture).float().eval()


def test_both_engines_give_the_same_samples():
    asked = [*requests(5, max_tokens=12), *requests(3, seed=1, temperature=0.7, top_k=4), *requests(2, temperature=0.0)]
    engine = HfEngine({"policy": padded("Llama")}, STOP, slots=4)
    # transformers casts the logits to float32
    same(engine.generate(asked), Engine({"policy": network()}, STOP).generate(asked), within=1e-5)


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("architecture", UNUSUAL)
def test_reported_logp_is_that_of_training(architecture, cached):
    net = small(architecture)
    net.cached = cached
    asked = [r for i, settings in enumerate(SETTINGS) for r in requests(3, seed=i, **settings)]
    for request, completion in zip(asked, HfEngine({"policy": net}, NEVER).generate(asked), strict=True):
        assert len(completion.tokens) == len(completion.logp) == 8
        ratio = torch.tensor(completion.logp) - trainer_logp(net, request, completion)
        assert ratio.abs().max() < 1e-4


@pytest.mark.parametrize("architecture", ["Gemma2", "Mamba", "RecurrentGemma"])
def test_a_sample_does_not_depend_on_the_other_samples(architecture):
    net, asked = small(architecture), requests(7, max_tokens=12)
    alone = [HfEngine({"policy": net}, STOP).generate([r])[0] for r in asked]
    for slots in (3, 64):
        same(HfEngine({"policy": net}, STOP, slots).generate(asked), alone, within=1e-4)


def test_the_same_call_gives_the_same_bits_and_new_weights_are_used_at_once():
    net, asked = small(), requests(5)
    engine = HfEngine({"policy": net}, NEVER)
    first = engine.generate(asked)
    assert engine.generate(asked) == first
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(1.1)
    moved = engine.generate(asked)
    assert moved != first
    assert moved == HfEngine({"policy": net}, NEVER).generate(asked)


def test_partial_answers_are_resumed():
    engine, asked = HfEngine({"policy": small()}, NEVER, slots=3), requests(5, max_tokens=9)
    whole = engine.generate(asked)
    resumed = [
        replace(r, partial=Completion(c.tokens[:n], c.logp[:n], False, (0,) * n, finished=False), version=1)
        for n, (r, c) in enumerate(zip(asked, whole, strict=True))
    ]
    same(engine.generate(resumed), whole, within=1e-4)
    assert [c.versions for c in engine.generate(resumed)] == [(0,) * n + (1,) * (9 - n) for n in range(5)]


def test_no_batch_starts_after_on_finished_returns_true():
    engine, asked, finished, shown = HfEngine({"policy": small()}, STOP, slots=2), requests(6), [], []

    def on_finished(number, completion):
        finished.append((number, completion))
        return len(finished) >= 3

    actual = engine.generate(asked, progress=lambda *x: shown.append(x), on_finished=on_finished)
    assert len(finished) == 4  # two batches
    assert [actual[i] for i, _ in finished] == [c for _, c in finished]
    assert sum(not c.finished for c in actual) == 2
    assert shown == [(2, 6), (4, 6)]


def test_the_generation_config_of_the_model_is_ignored():
    net, asked = small(), requests(4, max_tokens=20)
    expected = HfEngine({"policy": net}, NEVER).generate(asked)
    config = net.trunk.generation_config
    for name, value in {"repetition_penalty": 5.0, "top_k": 1, "eos_token_id": [5, 6, 7], "max_length": 12}.items():
        setattr(config, name, value)
    assert HfEngine({"policy": net}, NEVER).generate(asked) == expected
    assert net.trunk.generation_config is config


def test_checkpointing_is_off_while_sampling():
    net, asked = small(), requests(4)
    expected = HfEngine({"policy": net}, NEVER).generate(asked)
    net.checkpointing(True)
    net.train()
    assert HfEngine({"policy": net}, NEVER).generate(asked) == expected
    assert net.training


def test_padding_rows_of_the_vocabulary_are_never_sampled():
    net = small("Mamba")
    net.vocab_size = 7
    asked = [Request((3, 4), i, 20) for i in range(8)]
    drawn = {t for c in HfEngine({"policy": net}, NEVER).generate(asked) for t in c.tokens}
    assert drawn <= set(range(7))
    assert len(drawn) > 3


def test_a_reference_without_adapters():
    net, asked = small(), requests(3)
    before = HfEngine({"policy": net}, NEVER).generate(asked)
    add_lora(net, rank=2, alpha=4)
    with torch.no_grad():
        for name, p in net.named_parameters():
            if "lora_B" in name:
                p.fill_(0.5)
    engine = HfEngine({"policy": net, "reference": WithoutAdapters(net)}, NEVER)
    same(engine.generate(asked, (("reference", 1.0),)), before, within=1e-4)
    assert engine.generate(asked) != before


def test_occupancy():
    engine = HfEngine({"policy": small()}, NEVER, slots=2)
    engine.generate([Request((3, 4), 0, 4), Request((3, 4), 1, 2), Request((3, 4), 2, 4)])
    assert engine.occupancy.metrics() == {"sampling/occupancy": 10 / 16, "sampling/occupancy_before_tail": 6 / 8}


def test_mixtures_pauses_and_requests_that_do_not_fit_are_refused():
    engine, asked = HfEngine({"policy": small(), "reference": small()}, NEVER), requests(2)
    with pytest.raises(ConfigError, match=r"cannot mix models, here policy \(weight 0.5\) and reference"):
        engine.generate(asked, (("policy", 0.5), ("reference", 0.5)))
    with pytest.raises(ConfigError, match="cannot suspend"):
        engine.generate(asked, pause=Pause(tokens=3))
    with pytest.raises(ModelError, match="lower max_tokens to 4"):
        engine.generate([Request((3,) * 60, 0, 5)])
    with pytest.raises(ModelError, match=f"outside the vocabulary of {VOCABULARY}"):
        engine.generate([Request((VOCABULARY,), 0, 5)])
    assert engine.generate([]) == []
