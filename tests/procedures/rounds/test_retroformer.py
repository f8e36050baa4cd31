"""Retroformer: rewards add up along the trials of a task, and the policy comes to give the advice that helps."""

import pytest
import torch

from posttrain.procedures.rounds.retroformer import DIFFERENCE, trial_and_reflection
from tests.harness.enumerated import Exact, Tabular, batch
from tests.harness.scripted_session import ScriptedSession, prompts
from tests.procedures.transcripts.agents import TEXTS, TRIALS

pytestmark = pytest.mark.paper("000:[21]")


def reflections(answers, tasks, **settings):
    given = {"trials": 4, "samples": 2, "memory": 2, "solved": 1.0, **TEXTS, **settings}
    return trial_and_reflection(ScriptedSession(answers, weights={"frozen": "given"}), "round-1", list(tasks), **given)


def test_rewards_along_the_trials_of_a_task_add_up_to_the_last_return_less_the_first():
    told = [e for e in reflections(TRIALS, prompts("x?", "y?", "z?")) if e.prompt.prompt.startswith("x?")]
    along = [e.reward for e in told if e.sample == 0]
    assert sum(along) == 0.25 - 0.0
    assert [e.reward for e in told if e.sample == 1] == [0.125, 0.25, 0.5]


def test_a_task_that_is_solved_is_not_tried_again():
    told = reflections(TRIALS, prompts("x?", "y?", "z?"))
    assert not [e for e in told if e.prompt.prompt.startswith("y?")]
    assert len([e for e in told if e.prompt.prompt.startswith("z?")]) == 2


def test_advice_that_is_ignored_earns_nothing():
    answers = {
        "round-1-trial-1": {"x?": {"a": 0.5}},
        "round-1-reflections-1": {"x?/a": ["b", "c"]},
        "round-1-trial-2": {"x? [b]": {"a": 0.5}, "x? [c]": {"a": 0.5}},
    }
    assert [e.reward for e in reflections(answers, prompts("x?"), trials=2)] == [0.0, 0.0]


def test_a_trial_without_a_score_is_not_a_failure_and_not_a_reward():
    answers = {"round-1-trial-1": {"x?": {"a": None}}}
    assert reflections(answers, prompts("x?")) == []
    told = reflections(TRIALS, prompts("x?", "y?", "z?"))
    assert [e.reward for e in told if e.text == "try s"] == [None]


def test_the_policy_converges_to_the_hint_that_helps():
    """The actor succeeds with probability 0.2, 0.9 or 0.1 after the three hints, and with 0.4 before any."""
    policy = Tabular(3, 1, ends=False)
    policy.logits.data = torch.tensor([[1.0, -1.0, 0.5]])
    gains = torch.tensor([0.2, 0.9, 0.1]) - 0.4
    made = batch(policy, [(0,), (1,), (2,)], reward=gains)
    run = Exact(DIFFERENCE, {"policy": policy}, {"main": made}, 0.05)
    for _ in range(150):
        run.step({"main": made}, policy.distribution())
    assert float(policy.distribution()[1]) > 0.98
