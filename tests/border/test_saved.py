"""What was trained is what is saved: plain transformers opens it, stops by itself and says what our sampler says.

Families, kinds of tokenizers, adapters, tied matrices and several tokens that end texts take turns.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass

import pytest
import torch

from posttrain.config.load import load
from posttrain.core.method import Sampling
from posttrain.data.chat import template as chat_template
from posttrain.launch.run import open_session
from posttrain.records import Prompt
from tests.border.encoders import RENDERER
from tests.border.families import FAMILIES, Family
from tests.border.messages import says, user
from tests.border.models import random_model
from tests.border.reference import expected_rows, tokens_of
from tests.border.tokenizers import KINDS, tokenizer_of
from tests.harness.runs import run

TALKS = [(question, ("Paris", "4")[i % 2]) for i, question in enumerate("ABCDEFGHIJ")]


@dataclass(frozen=True)
class Place:
    """A family with a kind of tokenizer, and how its model is trained and saved."""

    family: Family
    kind: str
    lora: bool = False
    tied: bool = False
    ends: int = 1  # EOS ids of the generation config
    own: bool = False  # the run file names the template, and the tokenizer has none

    def __str__(self) -> str:
        more = (
            ["lora"] * self.lora + ["tied"] * self.tied + ["own"] * self.own + [f"{self.ends} ends"] * (self.ends > 1)
        )
        return "-".join([self.family.name, self.kind, *more])


PLACES = [
    Place(f, KINDS[i % 5], lora=i % 3 == 1, tied=i % 2 == 1, ends=1 + (i % 5 == 0), own=i % 4 == 2)
    for i, f in enumerate(FAMILIES)
]


class Shared:
    """One process that renders for all runs."""

    def __init__(self):
        self.render = RENDERER.render

    def close(self):
        """It is closed by conftest.py."""


@pytest.fixture(autouse=True)
def _shared(monkeypatch):
    monkeypatch.setattr(chat_template, "Renderer", Shared)


@pytest.mark.fault("M2")
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_saved_model_answers_as_it_was_trained(tmp_path, place):
    """Ten prompts, greedily: it begins as the template calls for an answer, and stops by itself."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    family = place.family
    made, template = copy.copy(tokenizer_of(family, place.kind)), {}
    if place.own and isinstance(family.template, str):
        (tmp_path / "own.jinja").write_text(family.template, encoding="utf-8")
        made.chat_template, template = None, {"chat_template": str(tmp_path / "own.jinja")}
    base = random_model(made, tie_word_embeddings=place.tied)
    if place.ends > 1:
        base.generation_config.eos_token_id = [made.eos_token_id, 0]
    base.save_pretrained(tmp_path / "base")
    made.save_pretrained(tmp_path / "base")
    data = tmp_path / "talks.jsonl"
    rows = [{"prompt": [user(q)], "completion": [says(family.thought + a)]} for q, a in TALKS]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    lora = {"lora": {"rank": 16, "alpha": 32}} if place.lora else {}
    content = {
        "model": {"path": str(tmp_path / "base"), "dtype": "float32", **lora, **template},
        "method": "imitation/sft",
        "data": str(data),
        "train": {"steps": 12, "prompts_per_step": 10, "learning_rate": 3e-2, "schedule": "linear"},
    }
    final = run(content, tmp_path / "runs").model
    model, tokenizer = AutoModelForCausalLM.from_pretrained(final), AutoTokenizer.from_pretrained(final)
    plain = [_generated(model, tokenizer, q) for q, _ in TALKS]
    trained = {_as_trained(a, q, family, tokenizer) for q, a in TALKS}
    assert {*map(tuple, plain)} <= trained  # which of them, is not learned so fast
    assert _sampled(final) == plain


def _as_trained(answer, question, family, tokenizer):
    """The tokens that follow the prompt, up to the one that ends the turn, as they are read."""
    talk = (user(question), says(family.thought + answer))
    (expected,) = expected_rows(tokenizer, family, talk, 1, {})
    read, whole = (tokens_of(tokenizer, expected.text[:edge]) for edge in expected.spans[0])
    return tuple(whole[len(read) :])


@torch.no_grad()
def _generated(model, tokenizer, question):
    """Greedy, with nothing but what the folder says about where to stop."""
    text = tokenizer.apply_chat_template([user(question)], tokenize=False, add_generation_prompt=True)
    asked = tokenizer(text, add_special_tokens=False, return_tensors="pt")
    told = model.generate(**asked, do_sample=False, max_length=asked["input_ids"].shape[1] + 20)[0]
    return told[asked["input_ids"].shape[1] :].tolist()


def _sampled(folder):
    model = {"path": str(folder), "dtype": "float32"}  # in bfloat16 near ties may be decided otherwise
    settings = load({"model": model, "sampling": {"max_tokens": 20}}, complete=False)
    with open_session(settings, write=False) as session:
        prompts = [Prompt(i, (user(q),)) for i, (q, _) in enumerate(TALKS)]
        answers = session.sample(prompts, Sampling(temperature=0.0))
    assert all(a.ended for a in answers)
    return [list(a.tokens) for a in sorted(answers, key=lambda a: a.prompt.id)]
