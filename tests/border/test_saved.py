"""What was trained is what is saved: plain transformers opens it, stops by itself and says what our sampler says."""

from __future__ import annotations

import json

import pytest
import torch

from posttrain.config.load import load
from posttrain.core.method import Sampling
from posttrain.launch.run import open_session
from posttrain.records import Prompt
from tests.border.families import BY_NAME
from tests.border.messages import says, user
from tests.border.models import random_model
from tests.border.tokenizers import tokenizer_of
from tests.harness.runs import run

# A turn that does not end with EOS; a tokenizer that writes spaces before texts; a thought that the prompt opens.
PLACES = [("gemma2", "greedy"), ("zephyr", "sentencepiece"), ("r1", "bytes")]
TALKS = [
    ("Capital of France?", "Paris"),
    ("2+2=?", "4"),
    ("And of Italy?", "Rome, I think."),
    ("Weather?", "18 C\n\nSunny"),
]


@pytest.mark.fault("M2")
@pytest.mark.parametrize(("name", "kind"), PLACES, ids=[name for name, _ in PLACES])
def test_a_saved_model_answers_as_it_was_trained(tmp_path, name, kind):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    family = BY_NAME[name]
    made = tokenizer_of(family, kind)
    random_model(made, initializer_range=0.05).save_pretrained(tmp_path / "base")
    made.save_pretrained(tmp_path / "base")
    data = tmp_path / "talks.jsonl"
    rows = [{"prompt": [user(q)], "completion": [says(family.thought + a)]} for q, a in TALKS]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    content = {
        "model": str(tmp_path / "base"),
        "method": "imitation/sft",
        "data": str(data),
        "train": {"max_length": 96, "steps": 25, "prompts_per_step": 4, "learning_rate": 3e-2, "schedule": "linear"},
    }
    final = run(content, tmp_path / "runs").model
    model, tokenizer = AutoModelForCausalLM.from_pretrained(final), AutoTokenizer.from_pretrained(final)
    plain = [_generated(model, tokenizer, q) for q, _ in TALKS]
    assert plain == [_as_trained(a, family) for _, a in TALKS]
    assert _sampled(final) == [text.removesuffix(family.end) for text in plain]


def _as_trained(answer, family):
    """What follows the prompt, up to the token that ends the turn."""
    text = answer.strip() if family.name == "gemma2" else answer  # its template trims
    return family.thought.removeprefix("<think>\n") + text + family.end


@torch.no_grad()
def _generated(model, tokenizer, question):
    """Greedy, with nothing but what the folder says about where to stop."""
    text = tokenizer.apply_chat_template([user(question)], tokenize=False, add_generation_prompt=True)
    asked = tokenizer(text, add_special_tokens=False, return_tensors="pt")
    told = model.generate(**asked, do_sample=False, max_length=96)[0]
    return tokenizer.decode(told[asked["input_ids"].shape[1] :], clean_up_tokenization_spaces=False)


def _sampled(folder):
    settings = load({"model": str(folder), "sampling": {"max_tokens": 40}}, complete=False)
    with open_session(settings, write=False) as session:
        prompts = [Prompt(i, (user(q),)) for i, (q, _) in enumerate(TALKS)]
        answers = session.sample(prompts, Sampling(temperature=0.0))
    assert all(a.ended for a in answers)
    return [a.text for a in sorted(answers, key=lambda a: a.prompt.id)]
