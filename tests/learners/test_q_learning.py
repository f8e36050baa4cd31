"""Q-learning: golden updates, the same optimum whatever Q begins with, and the places where help enters."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from posttrain.learners.q_learning import Hooks, Settings, Task, Transition, greedy, q_learning
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.world import Step
from posttrain.learners.worlds.chain import Chain

LONG = Settings(episodes=400, rate=1.0, decay=0.02, explore=0.5)


@dataclass
class Script:
    """A world that follows a script of (next state, reward, done), whatever is done."""

    script: list[tuple[str, float, bool]]
    actions: tuple[str, ...] = ("only",)
    goal: str = ""
    discount: float = 0.5
    left: list = field(default_factory=list)

    def reset(self, seed):
        self.left = list(self.script)
        return "a"

    def step(self, action):
        return Step(*self.left.pop(0))


def test_golden_update():
    """0.5 (1 + 0.5 · 0) = 0.5 for a; 0.5 · 4 = 2 for b; then 0.5 + 0.5 (1 + 0.5 · 2 - 0.5) = 1.25."""
    learned = q_learning(Script([("b", 1.0, False), ("c", 4.0, True)]), 0, Settings(episodes=2, rate=0.5))
    assert learned.q["a"] == [1.25]
    assert learned.q["b"] == [3.0]
    assert learned.returns == [3.0, 3.0]
    assert learned.steps == [2, 2]


def test_a_cut_is_no_end():
    """Behind a horizon the state is still worth what it is."""
    start = Hooks(start=lambda s: [8.0])
    cut = q_learning(Script([("b", 1.0, False)] * 3), 0, Settings(episodes=1, rate=1.0, horizon=1), start)
    assert cut.q["a"] == [1.0 + 0.5 * 8.0]


def test_rates_fall_with_the_visits_of_a_pair():
    learned = q_learning(Script([("b", 1.0, True)]), 0, Settings(episodes=2, rate=1.0, decay=1.0))
    assert learned.q["a"] == [1.0]
    learned = q_learning(Script([("b", 1.0, True)]), 0, Settings(episodes=2, rate=0.5, decay=1.0))
    assert learned.q["a"] == [0.5 + 0.25 * 0.5]
    learned = q_learning(Script([("b", 1.0, True)]), 0, Settings(episodes=2, rate=0.5, decay=3.0, power=0.5))
    assert learned.q["a"] == [0.5 + 0.25 * 0.5]


def test_a_double_estimator_values_the_choice_of_one_table_by_the_other():
    """Golden: with noise of mean 0 behind one step, one table is optimistic and two are not."""

    @dataclass
    class Noisy:
        actions: tuple[str, ...] = ("left", "right", "third", "fourth")
        goal: str = ""
        discount: float = 1.0
        place: str = "a"
        count: int = 0

        def reset(self, seed):
            self.place = "a"
            return "a"

        def step(self, action):
            if self.place == "a":
                self.place = "b"
                return Step("b", 0.0, False)
            self.count = (self.count * 37 + 11) % 101
            return Step("end", 1.0 if self.count % 2 else -1.0, True)

    how = {"episodes": 300, "rate": 0.2, "explore": 1.0}
    single = q_learning(Noisy(), 0, Settings(**how))
    double = q_learning(Noisy(), 0, Settings(**how, double=True))
    assert max(single.q["a"]) > 0.15 + max(double.q["a"])


def test_it_finds_the_optimum_whatever_q_begins_with():
    made = Chain(length=5)
    table = made.table()
    values = value_iteration(table)
    for first in (0.0, 2.0, -2.0):
        learned = q_learning(made, 1, LONG, Hooks(start=lambda s, first=first: [first, -first]))
        assert [greedy(learned.q)[s] for s in table.states[:4]] == [1, 1, 1, 1]
        assert np.abs(np.array([learned.q[s] for s in table.states[:4]]) - values.Q[:4]).max() < 0.2


def test_preferences_choose_and_are_no_value():
    """With a preference of 9 for the first action, the bootstrap reads what the first one is worth."""
    made = Script([("b", 0.0, False), ("c", 0.0, True)], actions=("x", "y"))
    hooks = Hooks(start=lambda s: [1.0, 3.0], preference=lambda s: [9.0, 0.0])
    learned = q_learning(made, 0, Settings(episodes=1, rate=1.0, explore=0.0), hooks)
    assert learned.q["a"] == [0.5, 3.0]
    assert learned.q["b"] == [0.0, 3.0]


def test_extras_are_learned_from_and_not_earned():
    class Bonus:
        def __init__(self):
            self.begun = []

        def begin(self, state, episode):
            self.begun.append((state, episode))

        def __call__(self, step: Transition):
            return 10.0 if step.time == 1 else 0.0

    bonus = Bonus()
    made = Script([("b", 1.0, False), ("c", 4.0, True)])
    learned = q_learning(made, 0, Settings(episodes=1, rate=1.0), Hooks(extras=[bonus]))
    assert learned.q == {"a": [1.0], "b": [14.0]} or learned.q == {"a": [1.0], "b": [14.0], "c": [0.0]}
    assert learned.returns == [3.0]
    assert bonus.begun == [("a", 0)]


def test_a_pull_moves_q_towards_what_is_said():
    made = Script([("b", 1.0, True)], actions=("x", "y"))
    hooks = Hooks(pull=lambda s, episode: ([5.0, None], 0.5))
    learned = q_learning(made, 0, Settings(episodes=1, rate=1.0, explore=0.0), hooks)
    acted = 0 if learned.q["a"][1] == 0 else 1
    assert learned.q["a"] == ([3.0, 0.0] if acted == 0 else [2.5, 1.0])


def there_and_back(phase, t):
    if phase == 0:
        return int(t.state == 0 and t.action == 0), 0.0, False
    return 1, float(t.done), t.done


def test_other_tasks_are_learned_from_the_same_steps():
    tasks = {
        "same": Task(lambda phase, t: (0, t.reward, t.done)),
        "left": Task(lambda phase, t: (0, *[t.state == 0 and t.action == 0] * 2)),
        "left, then right": Task(there_and_back, phases=2),
    }
    learned = q_learning(Chain(length=4, slip=0.0), 2, LONG, Hooks(tasks=tasks))
    assert {s: q for (s, _), q in learned.tasks["same"].items() if s != 3} == {s: learned.q[s] for s in range(3)}
    assert [greedy(learned.tasks["left"])[s, 0] for s in range(3)] == [0, 0, 0]
    assert learned.tasks["left"][2, 0][0] == pytest.approx(0.95**2, abs=1e-3)
    both = learned.tasks["left, then right"]
    assert (greedy(both)[1, 0], greedy(both)[1, 1]) == (0, 1)
    assert both[1, 0][0] == pytest.approx(0.95**4, abs=1e-3)  # left, left at the end, three to the right


def test_the_same_seed_is_the_same_run():
    runs = [q_learning(Chain(), seed, Settings(episodes=20)) for seed in (5, 5, 6)]
    assert runs[0].q == runs[1].q
    assert runs[0].steps != runs[2].steps
