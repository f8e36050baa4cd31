"""The losses in metrics.jsonl are those of plain transformers, from a run file to the file of the run."""

from __future__ import annotations

import json

import pytest
import torch
from torch.nn import functional as F
from transformers import AutoModelForCausalLM, AutoTokenizer

from posttrain.models.loading.load import load
from posttrain.models.loading.save import save
from tests.harness.runs import metrics, run

ASKED = [{"role": "user", "content": "Capital of France?"}]
TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}" + (
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def says(text):
    return [{"role": "assistant", "content": text}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model with a template of its own, as plain transformers opens it."""
    place, tiny = tmp_path_factory.mktemp("model"), load("tiny")
    tiny.tokenizer.chat_template = TEMPLATE
    save(tiny.network.double(), tiny.tokenizer, place)
    return place


def loss(folder, tmp_path, method, row):
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    model, train = {"path": str(folder), "dtype": "float64"}, {"steps": 1, "prompts_per_step": 1}
    (found,) = metrics(
        run({"model": model, "method": method, "data": str(tmp_path / "rows.jsonl"), "train": train}, tmp_path)
    )
    return found["loss"]


def logp(folder, answer):
    """The log-probs of an answer's tokens, by plain transformers on the conversation tokenised once."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64)
    asked = tokenizer.apply_chat_template(ASKED, add_generation_prompt=True, return_dict=False)
    whole = torch.tensor([tokenizer.apply_chat_template(ASKED + says(answer), return_dict=False)])
    with torch.no_grad():
        found = model(whole).logits[:, :-1].log_softmax(-1).gather(-1, whole[:, 1:, None])[0, :, 0]
    return found[len(asked) - 1 :]


def test_sft(folder, tmp_path):
    row = {"messages": ASKED + says("Paris.")}
    expected = float(-logp(folder, "Paris.").mean())
    assert loss(folder, tmp_path, "imitation/sft", row) == pytest.approx(expected, abs=1e-5)


def test_preferences_without_a_reference(folder, tmp_path):
    """SimPO: -log σ(β (mean logp_w - mean logp_l) - γ), with β 2.5 and γ 0.5."""
    row = {"prompt": ASKED, "chosen": says("Paris."), "rejected": says("I think Rome.")}
    gap = logp(folder, "Paris.").mean() - logp(folder, "I think Rome.").mean()
    method = {"path": "preference/simpo", "logistic.beta": 2.5, "logistic.margin": 0.5}
    expected = float(-F.logsigmoid(2.5 * gap - 0.5))
    assert loss(folder, tmp_path, method, row) == pytest.approx(expected, abs=1e-5)
