"""Models of every kind on several processes: adapters, heads, one matrix at both ends, other architectures, types."""

from __future__ import annotations

import pytest
import torch

from posttrain.backends.fsdp.learner import FsdpLearner
from posttrain.backends.local.learner import LocalLearner
from posttrain.core.method import MAIN
from posttrain.core.plan import plan
from posttrain.core.vocabulary import Source, When
from posttrain.errors import ModelError
from posttrain.methods.imitation.sft import METHOD as SFT
from posttrain.models.ia3 import add_ia3
from posttrain.models.lora import add_lora
from posttrain.models.network import Network
from posttrain.training.trainer import Trainer
from tests.backends.contract import LOGP, batch, trainer
from tests.backends.fsdp.pool import group
from tests.models.tiny import network, padded

TWO_LAYERS = {"num_hidden_layers": 2}


def lora() -> Network:
    made = network("Llama", **TWO_LAYERS)
    add_lora(made, 2, 4, "all-linear", seed=1)
    return made


def checkpointed() -> Network:
    made = network("Qwen3", **TWO_LAYERS)
    made.checkpointing(on=True)
    return made.train()


def ia3() -> Network:
    made = network("Llama", **TWO_LAYERS)
    add_ia3(made)
    return made


KINDS = {
    "tied": lambda: network("Llama", **TWO_LAYERS),
    "untied": lambda: network("Qwen3", **TWO_LAYERS),
    "lora": lora,
    "ia3": ia3,
    "checkpointed": checkpointed,
    "gpt2": lambda: network("GPT2", n_layer=2),
    "padded": lambda: padded("Gemma2", **TWO_LAYERS),
    "odd": lambda: network("Llama", **TWO_LAYERS, vocab_size=41, hidden_size=36, head_dim=10),
}


@pytest.mark.parametrize("kind", KINDS)
def test_training_is_that_of_one_process(kind, float64):
    ends = []
    for learner in (LocalLearner({"policy": KINDS[kind]()}), FsdpLearner(group(), {"policy": KINDS[kind]()})):
        training = trainer(learner, 1e-3)
        norms = [training.train({MAIN: batch(n)})["grad_norm"] for n in range(2)]
        ends.append((norms, learner.forward(batch(), LOGP)["logp"]))
    exact = 1e-7 if kind == "padded" else 1e-10  # the norms of transformers compute in float32
    assert ends[0][0] == pytest.approx(ends[1][0], rel=exact)
    assert float((ends[0][1] - ends[1][1]).abs().max()) < 1e-8


def test_low_precision_weights_are_trained_in_float32():
    ends = []
    for kind in (LocalLearner, lambda models: FsdpLearner(group(), models)):
        model = network("Llama", **TWO_LAYERS).to(torch.bfloat16)
        learner = kind({"policy": model})
        training = Trainer(plan(SFT), learner, rates=lambda _: {"policy": 1e-5})
        for n in range(3):
            training.train({MAIN: batch(n)})
        state = training.state()["backend"]
        ends.append((learner.forward(batch(), LOGP)["logp"], state["models"]["policy"]))
    assert float((ends[0][0] - ends[1][0]).abs().max()) < 0.1
    weights = next(iter(ends[1][1].values()))
    assert weights.dtype == torch.float32
    assert not torch.equal(weights, weights.bfloat16().float())  # small steps add up


def test_the_reference_of_adapters_is_the_model_without_them(float64):
    learner = FsdpLearner(group(), {"policy": lora()})
    training = trainer(learner, 1e-2)
    learner.prepare(plan(SFT))
    before = learner.forward(batch(), LOGP)["logp"]
    from posttrain.methods.preference.dpo import METHOD as DPO

    learner.prepare(plan(DPO))
    training.train({MAIN: batch()})
    both = learner.forward(batch(), {**LOGP, "ref": Source("reference", "logp", When.ONCE)})
    assert torch.equal(both["ref"], before)
    assert not torch.equal(both["logp"], before)


def test_what_cannot_be_divided_is_refused():
    with pytest.raises(ModelError, match="language models that are not quantised"):
        FsdpLearner(group(), {"policy": torch.nn.Linear(2, 2)})
    whole = network("Qwen3", **TWO_LAYERS)
    add_lora(whole, 2, 4, "all-linear", modules_to_save=["lm_head"], seed=1)
    with pytest.raises(ModelError, match="modules_to_save"):
        FsdpLearner(group(), {"policy": whole})


@pytest.mark.fault("W4")
def test_a_process_without_rows_keeps_the_others_company(float64):
    one, several = LocalLearner({"policy": KINDS["tied"]()}), FsdpLearner(group(), {"policy": KINDS["tied"]()})
    norms = [trainer(learner).train({MAIN: batch().select([3])})["grad_norm"] for learner in (one, several)]
    assert norms[0] == pytest.approx(norms[1], rel=1e-10)
