"""A Python interpreter as a tool: what is kept, what is judged, and what is an error."""

from __future__ import annotations

import re

import pytest

from posttrain.environments.bundled.python_tool import PythonTool
from posttrain.environments.environment import Action
from posttrain.errors import SandboxError
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.plain import Plain
from tests.environments.playing import calling, keeps_the_rules, play, prompt_of


def make(**settings) -> PythonTool:
    return PythonTool(sandbox="none", seconds=20.0, **settings)


def said(world: PythonTool, code: str) -> str:
    return world.step(calling("python", code=code)).messages[0]["content"]


def test_what_holds_of_every_environment() -> None:
    keeps_the_rules(make)


def test_names_are_kept_and_errors_are_observations() -> None:
    world = make(shown=30)
    world.reset(prompt_of({"prompt": "Count.", "answer": "6"}), 0)
    assert said(world, "x = 3") == "(no output)"
    assert said(world, "print('twice'); 2 * x") == "twice\n6\n"
    assert said(world, "1 / 0") == "ZeroDivisionError: division by\n[15 more characters were cut off]"
    assert world.step(calling("python", cod="1")).messages[0]["content"].startswith("Error: python: ")
    assert world.step(Action("It is 6.", "It is 6.")).reward == 1.0


PROGRAMS = {  # of the numbers in the question, in its order
    "prime numbers": "sum(1 for x in range({0}, {1} + 1) if all(x % d for d in range(2, x)))",
    "squares": "sum(x ** 2 for x in range({1}, {2} + 1) if x % {0} == 0)",
    "decimal digits": "sum(int(c) for c in str({0} ** {1}))",
    "add up": "len([x for x in range({0}, {1} + 1) if sum(int(c) for c in str(x)) == {2}])",
}


def test_who_computes_is_right() -> None:
    seen = set()
    for task in PythonTool.tasks(12, 4):
        kind = next(kind for kind in PROGRAMS if kind in task["prompt"])
        value = eval(PROGRAMS[kind].format(*re.findall(r"\d+", task["prompt"])))
        seen.add(kind)
        assert play(make(), task, lambda _, v=value: f"The answer is {v}").reward == 1.0, task
        assert play(make(), task, lambda _, v=value: f"The answer is {v + 1}").reward == 0.0
    assert seen == set(PROGRAMS)


def test_without_an_answer_nothing_is_judged() -> None:
    played = play(make(), {"prompt": "Write a poem."}, lambda _: "Roses are red.")
    assert (played.reward, played.done) == (None, True)


class Broken(Plain):
    """A sandbox that cannot be started."""

    def command(self, limits: Limits) -> list[str]:
        return ["/nowhere/python"]


def test_a_sandbox_that_fails_is_no_observation() -> None:
    world = make()
    world.reset(prompt_of({"prompt": "Count.", "answer": "6"}), 0)
    world.notebook.tier = Broken()
    with pytest.raises(SandboxError, match="cannot be started"):
        said(world, "1")
