"""Models that a solver solves: what is judged at once, and what may be written again."""

from __future__ import annotations

import pytest

from posttrain.data.generators import linear_programmes
from posttrain.environments.bundled.solver import Solver
from posttrain.environments.environment import Action
from posttrain.records import Prompt

pytestmark = pytest.mark.paper("chen2025vp2")


def begun(**settings):
    pytest.importorskip("highspy", reason="the extra solver is not installed")
    (task,) = Solver.tasks(1, 3)
    world, problem = Solver(**settings), linear_programmes.make(0, 3, 1)
    world.reset(Prompt(0, tuple(task["prompt"]), task), 0)
    return world, problem


def test_a_model_with_an_optimum_is_judged_at_once():
    world, problem = begun()
    outcome = world.step(Action(problem.answer))
    assert (outcome.reward, outcome.done) == (1.0, True)
    assert outcome.info["optimum"] == pytest.approx(problem.columns["objective"])
    world, problem = begun(solved=0.25)
    assert world.step(Action(problem.wrong)).reward == 0.25


def test_a_model_without_one_may_be_written_again():
    world, problem = begun(attempts=2)
    outcome = world.step(Action("42"))
    assert (outcome.reward, outcome.done) == (None, False)
    assert "finds no optimum" in outcome.messages[0]["content"]
    assert world.step(Action(problem.answer)).reward == 1.0
    world, _ = begun(attempts=1)
    outcome = world.step(Action("42"))
    assert (outcome.reward, outcome.done, outcome.info) == (0.0, True, {"optimum": "none"})


def test_data_without_an_objective_are_an_error():
    with pytest.raises(ValueError, match=r"reads the column objective, and a\.jsonl:1 has none"):
        Solver().reset(Prompt(0, "?", {}, "a.jsonl:1"), 0)
