"""A calculator gets full reward, and nonsense none."""

import json

import pytest

from posttrain.environments.bundled.arithmetic_tool import ArithmeticTool
from posttrain.environments.environment import Action
from posttrain.environments.tools.parse import parse
from posttrain.records import Prompt
from tests.environments.playing import keeps_the_rules, play


def calculates(played):
    if not played.outcomes:
        expression = played.text.removeprefix("What is ").removeprefix("Compute ").removeprefix("How much is ")[:-1]
        call = json.dumps({"name": "calculate", "arguments": {"expression": expression}})
        return parse(f"<tool_call>{call}</tool_call>")
    return f"It is {float(played.text):,.2f}."


def test_a_player_with_the_tool_wins():
    for task in ArithmeticTool.tasks(20, 3):
        played = play(ArithmeticTool(), task, calculates)
        assert (played.reward, len(played.outcomes)) == (1.0, 2)
        assert played.outcomes[0].reward is None


def test_the_rules():
    keeps_the_rules(ArithmeticTool)
    with pytest.raises(ValueError, match="reads the column answer, and a.jsonl:3 has none"):
        ArithmeticTool().reset(Prompt(0, "?", where="a.jsonl:3"), 0)


@pytest.mark.parametrize(
    ("text", "ended", "reward"),
    [
        ("1888", True, 1.0),
        ("37 * 48 + 112 = 1,888.", True, 1.0),
        ("<think>5</think>1888.0", True, 1.0),
        ("<think>1888</think>", True, 0.0),
        ("1888", False, 0.0),
        ("-1888", True, 0.0),
        ("1888 or 1889", True, 0.0),
        ("none", True, 0.0),
    ],
)
def test_answers(text, ended, reward):
    world = ArithmeticTool()
    world.reset(Prompt(0, "?", {"answer": "1888"}), 0)
    assert world.step(Action(text, text, ended=ended)).reward == reward
