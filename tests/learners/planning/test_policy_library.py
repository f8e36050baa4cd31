"""Tasks one after the other, with goals and a library."""

from __future__ import annotations

import pytest

from posttrain.learners.planning import policy_library
from posttrain.learners.planning.goals import Goal
from posttrain.learners.planning.policy_library import LOG, TASKS, Learner, Ledger, Library, compared, start_from
from posttrain.learners.q_learning import Settings
from posttrain.learners.speaker import Scripted, Speaker
from posttrain.learners.worlds.crafting import Crafted, Crafting

pytestmark = pytest.mark.paper("000-text:Hi-Core")
WORLD = Crafting(slip=0.0, length=2)
SHORT = Settings(episodes=40, horizon=20, explore=0.2)


@pytest.fixture
def here(monkeypatch):
    """Conditions that this file wrote, evaluated here: the sandbox is tested in test_goals.py."""

    def usable(goals, names, states, tier):
        def holds(goal, state):
            return eval(goal.check, {}, dict(zip(names, state, strict=True)))

        return {g: [holds(g, s) for s in states] for g in goals if "sticks >" not in g.check and g.check != "True"}

    monkeypatch.setattr(policy_library, "usable", usable)


class Writes(Speaker):
    def __init__(self, *texts):
        self.texts, self.asked = list(texts), []

    def answer(self, questions):
        self.asked += [q.text for q in questions]
        return [self.texts.pop(0) if self.texts else None]

    def probabilities(self, questions):
        raise NotImplementedError


def test_the_next_goal_pays_once_and_the_task_pays_1():
    has_log = {s for s in WORLD.table().states if s.log >= 1}
    ledger = Ledger(WORLD, TASKS[0], {LOG: has_log})
    chop, saw = (WORLD.actions.index(a) for a in ("chop", "saw"))
    assert ledger.outcomes((Crafted(0), 0), chop) == [(1.0, (Crafted(0, 1), 1), 0.2)]
    assert ledger.outcomes((Crafted(0, 1), 1), chop) == [(1.0, (Crafted(0, 2), 1), 0.0)]
    assert ledger.outcomes((Crafted(0, 1), 1), saw) == [(1.0, (Crafted(0, 0, 4), 1), 1.0)]
    assert ledger.ends((Crafted(0, 0, 4), 0))
    assert not ledger.ends((Crafted(0, 1), 1))
    assert "1 of 1 goals" in ledger.describe((Crafted(0), 1))


def test_goals_are_reached_in_their_order():
    everywhere = set(WORLD.table().states)
    ledger = Ledger(WORLD, TASKS[2], {Goal("never", "", 0.3): set(), LOG: everywhere})
    assert ledger.outcomes((Crafted(0), 0), WORLD.actions.index("chop"))[0][2] == 0.0


def test_the_library_finds_the_task_in_the_most_similar_words():
    library = Library()
    assert library.nearest("make planks") is None
    library.entries = {"make a chair": ([], {1: [1.0]}), "carve two sticks": ([], {2: [1.0]})}
    assert library.nearest("carve sticks") == {2: [1.0]}
    assert library.nearest("make something") == {1: [1.0]}
    assert library.nearest("sing") is None
    assert start_from(None, 2) is None
    begin = start_from({1: [0.5, 0.25]}, 2)
    assert (begin(1), begin(2)) == ([0.5, 0.25], [0.0, 0.0])


def test_the_same_task_twice_is_known_at_once(here):
    learner, library = Learner(WORLD, Settings(episodes=40, horizon=9, explore=0.1), revisions=0), Library()
    right = "\n".join(g.line() for g in TASKS[1].right)
    first = learner.learn_by_goals(Writes(right), TASKS[1], library, 0)
    again = learner.learn_by_goals(Writes(right), TASKS[1], library, 1)
    assert sum(again[:10]) == 10 > sum(first[:10])
    assert len(library.entries) == 1


def test_goals_that_do_not_help_are_revised_with_what_happened(here):
    short = Settings(episodes=30, horizon=6, explore=0.2)
    speaker = Writes("reach the workbench | place == 1 | 0.3", "nothing", "I do not know")
    Learner(WORLD, short, revisions=2).learn_by_goals(speaker, TASKS[2], Library(), 0)
    assert len(speaker.asked) == 3
    assert "With the goals" not in speaker.asked[0]
    assert "With the goals reach the workbench it was done in 0% of the episodes." in speaker.asked[1]
    assert "With the goals none it was done" in speaker.asked[2]


def test_goals_that_help_are_kept(here):
    speaker = Writes(LOG.line())
    reached = Learner(WORLD, SHORT, revisions=1).learn_by_goals(speaker, TASKS[0], Library(), 0)
    assert len(speaker.asked) == 1
    assert len(reached) == 40


def test_three_tasks_transfer(here):
    learner = Learner(Crafting(), Settings(episodes=40, horizon=30, explore=0.2), revisions=0)
    made = compared(learner, Scripted(1.0), [0, 1])
    assert min(x - y for x, y in zip(made.helped, made.alone, strict=True)) > 0.05
    assert made.kept["0"][TASKS[0].words] == [LOG.line()]
    assert set(made.kept) == {"sandbox", "0", "1"}
