"""The contract and a run with vLLM itself, in a venv of its own: `make test-vllm`. Not a part of `make test`.

VLLM_PYTHON names the Python of that venv. Numbers are float32 here, so they agree to float32's rounding.
"""

from __future__ import annotations

import copy
import os
import time
from pathlib import Path

import pytest
import torch
import transformers

from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.local.sampler import LocalSampler
from posttrain.backends.vllm.process import vllm_process
from posttrain.backends.vllm.sampler import VllmSampler
from posttrain.models.loading.load import load
from posttrain.sampling.engine import Engine
from posttrain.sampling.request import POLICY, Request
from tests.backends.contract import Sampling, batch, requests, trainer
from tests.backends.vllm.loopback import NoTokenizer
from tests.harness.runs import metrics, run
from tests.models.tiny import network

PYTHON = os.environ["VLLM_PYTHON"]
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")


@pytest.fixture
def float64():
    """The contract asks for float64, which vLLM does not compute in: float32 instead."""
    torch.set_default_dtype(torch.float32)


SMALL = {"max_model_len": 64, "enforce_eager": True}
SIZES = {"hidden_size": 128, "head_dim": 32}  # attention on CPUs wants heads of 32 and more
pytestmark = [pytest.mark.usefixtures("float64"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """One process for all tests: a learner of the same shape hands its weights over."""
    folder = tmp_path_factory.mktemp("vllm")
    kept: list[VllmSampler] = []

    def make() -> tuple[LocalLearner, VllmSampler]:
        learner = LocalLearner({"policy": network(**SIZES).float()}, tokenizer=NoTokenizer())
        local = LocalSampler(learner.models, slots=4)
        reader = lambda: learner.models["policy"]  # noqa: E731
        if not kept:
            start = lambda f: vllm_process(PYTHON, f, folder / "log", patience=120, starting=600)  # noqa: E731
            kept.append(VllmSampler(learner, local, start, slots=4, settings=SMALL, reader=reader))
        sampler = kept[0]
        sampler.learner, sampler.local, sampler.reader, sampler.loaded = learner, local, reader, None
        sampler.stop_at(frozenset())
        return learner, sampler

    yield make
    kept[0].close()


REWARD = """
def vowels(completions):
    return [sum(text.count(c) for c in "aeiou13579") / 8 for text in completions]
"""


def model_of(folder: Path) -> Path:
    """The embedded model's tokenizer, and weights whose attention heads are large enough."""
    loaded = load("tiny", dtype="float32", device="cpu")
    config = copy.deepcopy(loaded.network.trunk.config)
    config.head_dim = 32
    torch.manual_seed(0)
    transformers.AutoModelForCausalLM.from_config(config).float().save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
    return folder


class TestVllm(Sampling):
    tolerance = 2e-4  # of two engines in float32, with logits of 10

    @pytest.fixture(autouse=True)
    def _engine(self, engine):
        self.engine = engine

    def make(self, tokens_per_device: int = 10**6):
        return self.engine()


def test_it_draws_what_the_native_engine_draws(engine):
    learner, sampler = engine()
    asked = requests(5, temperature=0.9, top_k=20, top_p=0.95) + [Request((5, 6), 3, 6, temperature=0.0)]
    sampler.sync(learner.version, 0)
    drawn = sampler.generate(asked, POLICY)
    native = Engine(learner.models, frozenset()).generate(asked)
    assert [c.tokens for c in drawn] == [c.tokens for c in native]
    for one, other in zip(drawn, native, strict=True):
        assert one.logp == pytest.approx(other.logp, abs=2e-4)


def test_the_first_token_after_an_update_is_drawn_from_the_new_weights(engine):
    learner, sampler = engine()
    asked = [Request((3, 7, 9), seed, 1) for seed in range(8)]
    for _ in range(3):
        trainer(learner, 0.1).train({"main": batch()})
        sampler.sync(learner.version, 0)
        begin = time.perf_counter()
        drawn = sampler.generate(asked, POLICY)
        print(f"hand-over and {len(asked)} tokens: {time.perf_counter() - begin:.3f} s")
        native = Engine(learner.models, frozenset()).generate(asked)
        assert [c.tokens for c in drawn] == [c.tokens for c in native]
        assert [c.logp[0] for c in drawn] == pytest.approx([c.logp[0] for c in native], abs=2e-4)


def test_a_run_with_vllm_learns_what_a_native_one_learns(tmp_path: Path):
    """GRPO on a small model in float32: the same answers, so the same rewards and the same numbers."""
    (tmp_path / "vowels.py").write_text(REWARD)
    file = {
        "model": {"path": str(model_of(tmp_path / "model")), "dtype": "float32"},
        "method": "online/grpo",
        "data": "arithmetic:chat=false,size=16",
        "rewards": str(tmp_path / "vowels.py:vowels"),
        "sampling": {"samples": 4, "max_tokens": 8, "slots": 16},
        "train": {"steps": 3, "prompts_per_step": 4, "learning_rate": 1e-3, "rollout_correction": "none"},
    }
    own = {"path": "vllm", "python": PYTHON, "enforce_eager": True, "max_gap": 0.01}
    native = metrics(run(file, tmp_path, "name=native"))
    vllm = metrics(run({**file, "sampler": own}, tmp_path, "name=vllm"))
    for one, other in zip(native, vllm, strict=True):
        assert one["reward"] == other["reward"]
        assert one["completions/mean_length"] == other["completions/mean_length"]
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-4)
        assert 0 < other["sampling/logp_difference"] < 1e-3
