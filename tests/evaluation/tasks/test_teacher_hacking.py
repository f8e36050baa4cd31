"""Teacher hacking in small: an oracle, its teacher, and students."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
import torch

from posttrain.evaluation.compare.grid import compare
from posttrain.evaluation.tasks import teacher_hacking as task
from posttrain.evaluation.tasks.gold_reward import LENGTH, LETTERS
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import tiny_model

pytestmark = pytest.mark.paper("tiapkin202538o")


def test_the_language_prefers_some_letters_and_follows_from_the_seed():
    """Each letter is followed by five others, in the shares 8, 4, 2, 1, 1 of 16."""
    texts = [r.prompt + r.completion for r in task.language(0, 800)]
    follow = Counter(pair for text in texts for pair in pairwise(text[1:]))
    after = {letter: sorted((n for (a, _), n in follow.items() if a == letter), reverse=True) for letter in LETTERS}
    assert all(len(counts) == len(task.WEIGHTS) for counts in after.values())
    shares = [sum(counts[k] for counts in after.values()) / (800 * LENGTH) for k in range(2)]
    assert shares == pytest.approx([0.5, 0.25], abs=0.03)
    assert texts == [r.prompt + r.completion for r in task.language(0, 800)]
    assert texts != [r.prompt + r.completion for r in task.language(1, 800)]


def test_one_command_draws_both_distances(tmp_path, monkeypatch):
    """The student starts as the oracle, so the gold distance is 0 before training, and the proxy falls."""

    def made(folder, model, shown, steps, seed):
        network, tokenizer = tiny_model()
        if folder.name.startswith("teacher"):
            with torch.no_grad():
                for p in network.parameters():
                    p.mul_(1.05)
        save(network, tokenizer, folder)
        return folder

    monkeypatch.setattr(task, "taught", made)
    monkeypatch.setattr(task, "TOO_LONG", 3)
    monkeypatch.setattr(task, "TEXTS", 8)
    settings = {"steps": 1, "prompts": 4, "answers": 4, "teacher_answers": 2, "learning_rate": 1e-4}
    methods = ["distillation/soft_targets", "distillation/on_policy"]
    found = compare(methods, "teacher_hacking", seeds=1, settings=settings, output=tmp_path)
    for name in ("soft_targets", "on_policy"):
        first, *_, last = found.curves[name][0]
        assert first["gold"] == pytest.approx(0.0, abs=1e-3)
        assert 0 < last["proxy"] != first["proxy"] > 0
        assert last["gold"] == -last["closeness"] > 0
