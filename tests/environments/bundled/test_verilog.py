"""Designs that are simulated: rewards, observations, and a sandbox that fails."""

from __future__ import annotations

import pytest

from posttrain.data.generators import designs
from posttrain.environments.bundled import verilog as module
from posttrain.environments.bundled.verilog import Verilog
from posttrain.environments.environment import Action
from posttrain.records import Prompt
from posttrain.sandbox.verdict import Judgement
from tests.harness.icarus import icarus  # noqa: F401 -- a fixture

pytestmark = pytest.mark.paper("wang20252c7")


def begun(seed=0, **settings):
    (task,) = Verilog.tasks(1, seed)
    world = Verilog(seconds=60.0, **settings)
    world.reset(Prompt(0, tuple(task["prompt"]), task), 0)
    return world


@pytest.mark.usefixtures("icarus")
def test_right_designs_pass_and_wrong_ones_read_how_far_they_came():
    for seed in range(3):
        problem = designs.make(0, seed, 1)
        world = begun(seed)
        outcome = world.step(Action(problem.wrong))
        assert outcome.messages[0]["content"].startswith("It passes ")
        outcome = world.step(Action("```verilog\nmodule\n```"))
        assert "It fails: ivl: " in outcome.messages[0]["content"]
        outcome = world.step(Action(problem.answer))
        assert (outcome.reward, outcome.done) == (1.0, True)


def test_the_last_attempt_has_the_share_of_its_tests(monkeypatch):
    found = iter([0.5, Judgement("failed", "ivl: no"), 0.25])
    monkeypatch.setattr(module, "simulated", lambda *_, **__: next(found))
    world = begun(attempts=3)
    assert world.step(Action("")).messages[0]["content"] == "It passes 50% of the tests. Write the design again."
    assert world.step(Action("")).messages[0]["content"] == "It fails: ivl: no. Write the design again."
    outcome = world.step(Action(""))
    assert (outcome.reward, outcome.done) == (0.25, True)


def test_a_sandbox_that_fails_is_no_score(monkeypatch):
    monkeypatch.setattr(module, "simulated", lambda *_, **__: RuntimeError("not simulated, twice"))
    with pytest.raises(RuntimeError, match="not simulated"):
        begun().step(Action(""))


def test_data_without_a_testbench_are_an_error():
    with pytest.raises(ValueError, match=r"reads the columns testbench and output; a\.jsonl:1 has no output"):
        Verilog().reset(Prompt(0, "?", {"testbench": ""}, "a.jsonl:1"), 0)
