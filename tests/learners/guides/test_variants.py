"""TaskExplore: variants are learned from the steps of one's own task as well as by learning them alone."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.learners.guides.variants import auxiliary, named, possible, transferred, variants
from posttrain.learners.q_learning import Hooks, Settings, q_learning
from posttrain.learners.remembering import InOrder
from posttrain.learners.speaker import Scripted
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.cooking import Cooking
from posttrain.learners.worlds.key_door import KeyDoor

pytestmark = pytest.mark.paper("002:TaskExplore")

SKELETON = ("go to the {} corner", "pick up the key")
EVERY = Settings(episodes=80, rate=1.0, explore=1.0, horizon=60)


def test_an_auxiliary_task_ends_at_the_values_of_its_own_optimum():
    """Nothing slips and the rate is 1: the values are those of value iteration on the task itself, exactly."""
    made = KeyDoor(size=2)
    own, other = (InOrder(made, named(SKELETON, corner)) for corner in ("upper right", "lower left"))
    learned = q_learning(own, 0, EVERY, Hooks(tasks={"other": auxiliary(other)}))
    table = other.table()
    values = value_iteration(table)
    met = [(i, s) for i, s in enumerate(table.states) if not table.terminal[i]]
    found = np.array([learned.tasks["other"][s] for _, s in met])
    assert len(met) > 6
    assert np.abs(found - values.Q[[i for i, _ in met]]).max() < 1e-9


def test_the_own_task_is_learned_as_if_there_were_no_others():
    made = KeyDoor(size=2)
    own, other = (InOrder(made, named(SKELETON, corner)) for corner in ("upper right", "lower left"))
    how = Settings(episodes=5)
    assert q_learning(own, 3, how, Hooks(tasks={"other": auxiliary(other)})).q == q_learning(own, 3, how).q


def test_a_speaker_says_what_makes_sense_and_the_own_object_is_no_variant():
    made, skeleton = Cooking(foods=2), ("take the {}", "cook the {}")
    objects = ("tomato", "onion", "onion", "spoon")
    assert [*variants(made, Scripted(1.0), skeleton, "tomato", objects)] == ["onion"]
    assert [*variants(made, Scripted(0.0), skeleton, "tomato", objects)] == ["spoon"]
    assert possible(made, skeleton, "tomato", objects) == ["onion"]


def test_a_task_is_done_in_its_order():
    task = InOrder(Cooking(foods=1), ("take the tomato", "chop the tomato"))
    state = task.reset(0)
    earned = []
    for action in (0, 3, 1, 4):  # to the shelf, take, to the board, chop
        step = task.step(action)
        earned.append((step.state[1], step.reward, step.done))
    assert earned == [(0, 0, False), (1, 0, False), (1, 0, False), (2, 1, True)]
    assert task.describe(state).endswith("Done: nothing.")
    assert task.describe(step.state).endswith("Done: take the tomato, chop the tomato.")
    assert task.goal == "take the tomato, then chop the tomato"


def test_what_is_known_of_a_new_task_helps():
    made = KeyDoor(size=3)
    tasks = variants(made, Scripted(1.0), SKELETON, "upper right", ("lower left",))
    first, then = Settings(episodes=40, explore=0.3), Settings(episodes=3)
    helped, alone = (transferred(made, SKELETON, "upper right", ["lower left"], t, 0, first, then) for t in (tasks, {}))
    assert sum(helped.returns) > 1.5 * sum(alone.returns)
    assert len(helped.returns) == 3
