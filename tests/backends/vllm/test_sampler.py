"""The sampler of another process keeps the contract, and finds every fault of the hand-over."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
import torch

from posttrain.backends.vllm.handover import SEAL
from posttrain.backends.vllm.sampler import RESTARTS
from posttrain.errors import ModelError, WorkerError
from posttrain.sampling.engine import Engine as NativeEngine
from posttrain.sampling.request import POLICY, Pause, Request
from posttrain.sampling.stop import Stop
from tests.backends.contract import Sampling, batch, requests, trainer
from tests.backends.vllm.loopback import OneByOne, made

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture(autouse=True)
def _closed(monkeypatch):
    """End the threads of every sampler that a test makes."""
    from posttrain.backends.vllm.sampler import VllmSampler

    samplers, init = [], VllmSampler.__init__

    def remembered(self, *args, **settings):
        init(self, *args, **settings)
        samplers.append(self)

    monkeypatch.setattr(VllmSampler, "__init__", remembered)
    yield
    for sampler in samplers:
        sampler.close()
        assert not sampler.folder.exists()


class TestLoopback(Sampling):
    def make(self, tokens_per_device: int = 10**6):
        return made(tokens_per_device=tokens_per_device)


def answers(sampler, learner, asked=None, **how):
    sampler.sync(learner.version, 0)
    return sampler.generate(asked or requests(), POLICY, **how)


def test_it_draws_what_the_native_sampler_draws():
    learner, sampler = made()
    asked = requests(4, top_k=5, top_p=0.9, temperature=0.7)
    native = NativeEngine(learner.models, frozenset()).generate(asked)
    drawn = answers(sampler, learner, asked)
    assert [c.tokens for c in drawn] == [c.tokens for c in native]
    assert [c.logp for c in drawn] == [pytest.approx(c.logp, abs=1e-12) for c in native]


def test_other_distributions_are_sampled_in_this_process():
    learner, sampler = made()
    learner.copy("policy", "teacher")
    sampler.sync(learner.version, 0)
    sampler.generate(requests(), (("teacher", 1.0),))
    assert sampler.channel is None


def test_a_request_that_does_not_fit_is_refused_before_it_is_sent():
    learner, sampler = made()
    with pytest.raises(ModelError, match="exceed the model's context"):
        answers(sampler, learner, [Request((3,) * 60, 0, 9)])
    assert sampler.channel is None


def test_an_answer_ends_at_a_sequence_and_after_a_number_of_tokens():
    learner, sampler = made()
    whole = answers(sampler, learner, requests(1))[0].tokens
    (ended,) = answers(sampler, learner, requests(1, stop=Stop(sequences=(whole[1:3],))))
    assert ended.tokens == whole[:3]
    assert ended.ended
    few = answers(sampler, learner, pause=Pause(tokens=5))
    assert sum(len(c.tokens) for c in few) == 8  # two steps of four slots
    some = answers(sampler, learner, [Request((3, 7, 9), i, 2 + i) for i in range(3)], pause=Pause(finished=1))
    assert [c.finished for c in some] == [True, False, False]


# ---- faults of the hand-over


class Deaf(OneByOne):
    """Loses every message with new weights but the first."""

    def load(self, folder, version):
        if self.held < 0:
            super().load(folder, version)


class Forgetful(OneByOne):
    """Says that it has the new weights, and draws with the old ones."""

    said = 1

    @property
    def version(self):
        before, self.said = self.said, self.held
        return self.held if before != self.held else 1


class Torn(OneByOne):
    """Another process has written half of the folder again when the weights are read."""

    def load(self, folder: Path, version):
        if self.held >= 0:
            from safetensors.torch import load_file, save_file

            weights = load_file(folder / "model.safetensors")
            weights["model.norm.weight"][0] += 1e-6
            save_file(weights, folder / "model.safetensors")
        super().load(folder, version)


class Late(OneByOne):
    """Reads the folder before everything is written."""

    def load(self, folder: Path, version):
        if self.held >= 0:
            (folder / SEAL).unlink()
        super().load(folder, version)


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        (Deaf, "draws with version 1 of the weights, and version 2"),
        (Forgetful, "draws with version 1 of the weights, and version 2"),
        (Torn, "model.norm.weight in .* is not what was sealed"),
        (Late, "is not sealed"),
    ],
)
def test_tokens_of_stale_or_half_updated_weights_are_an_error(engine, words):
    learner, sampler = made(engine)
    trainer(learner)
    assert learner.version == 1
    answers(sampler, learner)
    learner.step({"policy": 0.0})
    with pytest.raises(WorkerError, match=words):
        answers(sampler, learner)
    sampler.close()


class Dying(OneByOne):
    """Dies after some steps."""

    steps = 0

    def step(self):
        self.steps += 1
        if self.steps == 3:
            raise RuntimeError("killed")
        return super().step()


@pytest.mark.fault("W1")
def test_a_process_that_dies_is_replaced_and_the_answers_are_the_same(caplog):
    learner, sampler = made(Dying)
    native = NativeEngine(learner.models, frozenset()).generate(requests(2))
    with caplog.at_level(logging.WARNING):
        assert [c.tokens for c in answers(sampler, learner, requests(2))] == [c.tokens for c in native]
    assert caplog.text.count("another one takes its place") == 2  # two steps of each process, for six tokens


def test_a_process_that_dies_while_the_trainer_trains_is_replaced_too(caplog):
    learner, sampler = made()
    answers(sampler, learner)
    os.close(sampler.channel.out)  # its end
    sampler.channel.thread.join(20)
    sampler.channel.out = os.open(os.devnull, os.O_RDONLY)  # a descriptor that takes nothing
    trainer(learner, 0.3).train({"main": batch()})
    native = NativeEngine(learner.models, frozenset()).generate(requests())
    with caplog.at_level(logging.WARNING):
        assert [c.tokens for c in answers(sampler, learner)] == [c.tokens for c in native]
    assert sampler.restarts == 1
    assert caplog.text.count("another one takes its place") == 1


@pytest.mark.fault("W2")
def test_a_process_that_dies_too_often_ends_the_run():
    class Dead(OneByOne):
        def step(self):
            raise RuntimeError("killed")

    learner, sampler = made(Dead)
    with pytest.raises(WorkerError, match="killed"):
        answers(sampler, learner)
    assert sampler.restarts == 1  # it never drew anything, and another one would not either
    learner, sampler = made(Dying)
    with pytest.raises(WorkerError, match="killed"):
        answers(sampler, learner, requests(5))
    assert sampler.restarts == RESTARTS + 1


def test_the_first_token_after_an_update_is_drawn_from_the_new_weights():
    learner, sampler = made()
    answers(sampler, learner)
    trainer(learner, 0.3).train({"main": batch()})
    (new,) = answers(sampler, learner, [Request((3, 7, 9), 0, 1)])
    (native,) = NativeEngine(learner.models, frozenset()).generate([Request((3, 7, 9), 0, 1)])
    assert new.logp == pytest.approx(native.logp, abs=1e-12)
    assert not list(sampler.folder.glob("version-*"))  # the memory is free again


def test_nothing_of_vllm_or_its_worker_is_imported_here():
    import sys

    assert not [name for name in sys.modules if name.partition(".")[0] == "vllm"]
    assert torch.get_default_dtype() == torch.float64
