"""What a writer is told: the world, earlier programs with the statistics of their components, and remarks."""

from __future__ import annotations

import pytest

from posttrain.learners.coding.words import WISHES, behaviour, curve_line, outcome, task, wish
from posttrain.learners.worlds.chain import Chain
from posttrain.learners.worlds.key_door import KeyDoor
from posttrain.search.evolution.candidate import Candidate

CURVES = {"return": [0.1, 0.5], "progress": [2.0, -1.0]}
GOOD = Candidate(
    3, "def reward(s, a, t): ...\n", fitness=0.5, report={"curves": CURVES, "behaviour": "It stood still."}
)
BAD = Candidate(4, "def reward(s, a, t) ...\n", report={"problem": "failed: SyntaxError"})


def test_the_task_names_the_goal_the_fields_and_the_actions():
    room = KeyDoor(size=3)
    text = task(room, room.table(), numpy=False)
    assert room.goal in text
    assert "{'x': 1, 'y': 1, 'key': False, 'out': False}" in text
    assert "'up', 'down', 'left', 'right', 'use'" in text
    assert "numpy" not in text
    assert "numpy" in task(room, room.table(), numpy=True)


@pytest.mark.paper("ma2023vyo")
def test_the_statistics_of_every_component_are_in_the_prompt():
    assert curve_line("progress", [2.0, -1.0]) == "progress: [2.00, -1.00], max 2.00, mean 0.50, min -1.00"
    text = wish("TASK", "improve", [GOOD])
    for part in ("TASK", GOOD.text, "Means at 2 checkpoints", "return: [0.10, 0.50]", "progress: [2.00", "stood still"):
        assert part in text
    assert "hardly changes" in text
    assert text.endswith(WISHES["improve"])


@pytest.mark.paper("002:TEXT2REWARD")
def test_an_error_is_fed_back():
    assert outcome(BAD) == "It could not be used: failed: SyntaxError"
    assert outcome(Candidate(0, None, problem="no program")) == "It could not be used: no program"
    text = wish("TASK", "repair", [BAD])
    assert "failed: SyntaxError" in text
    assert "hardly changes" not in text
    assert wish("TASK", "create", []) == "TASK"


def test_what_a_person_said_stands_behind_the_program():
    text = wish("TASK", "cross", [GOOD, BAD], {3: "It should move.", 9: "?"})
    assert "Somebody who watched it said: It should move." in text
    assert text.index(GOOD.text) < text.index("It should move.")
    assert "?" not in text


def test_a_behaviour_is_one_episode_in_words():
    chain = Chain(length=3, slip=0.0)
    right = {0: [0.0, 1.0], 1: [0.0, 1.0]}
    assert behaviour(chain, right, 0).splitlines()[-2:] == [f"right -> {chain.describe(2)}", "It ended and earned 1."]
    still = behaviour(chain, {}, 0, steps=2).splitlines()
    assert still == [chain.describe(0), *[f"left -> {chain.describe(0)}"] * 2, "It did not end."]
