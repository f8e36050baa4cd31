"""Edits judged in an episode: one attempt is the reward of the paper, more of them say what was wrong."""

from __future__ import annotations

import pytest

from posttrain.data.generators import bugs
from posttrain.environments.bundled.swe_patch import SwePatch
from posttrain.environments.environment import Action
from posttrain.records import Prompt

pytestmark = pytest.mark.paper("wei2025v4d")


def begun(**settings):
    (task,) = SwePatch.tasks(1, 7)
    world = SwePatch(**settings)
    prompt = Prompt(0, tuple(task["prompt"]), {k: v for k, v in task.items() if k != "prompt"})
    assert world.reset(prompt, 0) == prompt.prompt
    return world, bugs.make(0, 7, 1)


def test_one_attempt_is_the_reward_of_the_paper():
    world, problem = begun()
    outcome = world.step(Action(problem.answer))
    assert (outcome.reward, outcome.done, outcome.messages) == (1.0, True, ())
    world, problem = begun()
    assert 0.5 < world.step(Action(problem.wrong)).reward < 1
    outcome = begun()[0].step(Action("nothing"))
    assert (outcome.reward, outcome.done) == (-1.0, True)
    assert begun(wrong=-0.5)[0].step(Action("nothing")).reward == -0.5


def test_a_wrong_form_may_be_corrected_while_attempts_are_left():
    world, problem = begun(attempts=2)
    outcome = world.step(Action("<think>hm</think><solution>no edit</solution>"))
    assert (outcome.reward, outcome.done, outcome.info) == (None, False, {"format": "no edits"})
    assert "no edits" in outcome.messages[0]["content"]
    outcome = world.step(Action(problem.answer))
    assert (outcome.reward, outcome.done) == (1.0, True)
    world, _ = begun(attempts=2)
    world.step(Action(""))
    assert world.step(Action("")).reward == -1.0


def test_data_without_the_files_are_an_error():
    with pytest.raises(ValueError, match=r"reads the columns files and patched; a\.jsonl:3 has no patched"):
        SwePatch().reset(Prompt(0, "?", {"files": {}}, "a.jsonl:3"), 0)
