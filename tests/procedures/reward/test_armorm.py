"""A reward model whose prompt decides what counts: from the procedure to the scores of all who read it."""

import json

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from posttrain.config.load import load
from posttrain.launch.run import open_session
from posttrain.models.loading.load import load as load_model
from posttrain.records import Demonstration
from posttrain.training.role_rewards import model_score
from tests.harness.runs import run

LONG, SHORT = ({"role": "user", "content": "Long?"},), ({"role": "user", "content": "Short?"},)
ANSWERS = [({"role": "assistant", "content": text},) for text in ("abababab", "b")]


def written(folder):
    """People want long answers to one question and short ones to the other; the attributes are length and brevity."""
    rated = [
        {"prompt": q, "completion": a, "attributes": [len(a[0]["content"]) / 9, 1 - len(a[0]["content"]) / 9]}
        for q in (LONG, SHORT)
        for a in ANSWERS
    ]
    pairs = [
        {"prompt": LONG, "chosen": ANSWERS[0], "rejected": ANSWERS[1]},
        {"prompt": SHORT, "chosen": ANSWERS[1], "rejected": ANSWERS[0]},
    ]
    for name, rows in (("demonstrations", rated), ("pairs", pairs)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {name: str(folder / f"{name}.jsonl") for name in ("demonstrations", "pairs")}


@pytest.mark.paper("wang20247pw")
def test_it_is_right_about_both_questions_for_all_who_read_it(tmp_path):
    """No fixed mix of attributes is: by tokens, by text, and transformers reads the attributes."""
    asked = {
        "model": {"path": "tiny", "trained": "heads"},
        "procedure": {"path": "reward/armorm", "penalties": [1e-3], "gate": {"steps": 6, "learning_rate": 1.0}},
        "data": written(tmp_path),
        "train": {"prompts_per_step": 2},
    }
    made = run(asked, tmp_path / "run").model
    answers = [Demonstration(i, (LONG, SHORT)[i // 2], ANSWERS[i % 2]) for i in range(4)]
    run_file = {"model": "tiny", "models": {"reward": str(made)}}
    with open_session(load(run_file, complete=False), write=False) as session:
        scores = session.measure("scores", answers, model_score)
        by_text = session.run.speaker("reward").score([a.prompt + a.completion for a in answers])
    assert scores[0] > scores[1]
    assert scores[3] > scores[2]
    assert by_text == pytest.approx(scores, abs=1e-5)
    classifier, own = AutoModelForSequenceClassification.from_pretrained(made), load_model(str(made)).network.heads
    assert torch.equal(classifier.score.weight, own["score"].weight)
    assert own["gate"].weight.shape == classifier.score.weight.shape
