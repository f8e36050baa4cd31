"""A library of policies: goals lead a learner through a task, and what it has learned is where the next task begins.

For every task a speaker writes goals in order. Q-learning walks through them on states (s, n), n goals reached:

    r = r_task + Σ_g r_g [g is the next goal, and s' reaches it]

If the task is not reached often enough, the speaker hears how far the learner came and writes new goals, a bounded
number of times. Task, goals and Q go into the library. A new task begins with the Q of the task whose words are the
most alike (Jaccard), so the same task twice is learned at once, and none is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any, cast

from posttrain.learners.finite import Finite, Outcome
from posttrain.learners.planning.comparison import Comparison
from posttrain.learners.planning.goals import Goal, Sandbox, read_goals, usable
from posttrain.learners.q_learning import Hooks, Q, Settings, q_learning
from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.world import State
from posttrain.learners.worlds.crafting import Crafted, Crafting
from posttrain.sandbox.availability import choose
from posttrain.seeds import seed_for

Led = tuple[State, int]  # a state of the world, and how many goals were reached
ENOUGH = 0.5  # share of the last quarter of the episodes in which a task must be reached


@dataclass(frozen=True)
class Task:
    """A task in words, when it is done, the goals that a speaker that is right writes, and what others write."""

    words: str
    done: Callable[[Crafted], bool]
    right: tuple[Goal, ...]
    wrong: tuple[str, ...]


LOG, PLANK = Goal("have a log", "log >= 1", 0.2), Goal("have planks", "plank >= 4", 0.2)
STICK, MANY = Goal("have sticks", "stick >= 2", 0.2), Goal("have planks to spare", "plank >= 3 and stick >= 2", 0.2)
WRONG = (
    "reach the workbench | place == 3 | 0.3",
    "have sticks | sticks > 1 | 0.2",
    "go on | True | 1",
    "I do not know.",
)
TASKS = (
    Task("make four planks", lambda s: s.plank >= 4, (LOG,), WRONG),
    Task("make four planks and carve sticks", lambda s: s.stick >= 2, (LOG, PLANK), WRONG),
    Task(
        "make four planks and carve sticks and a pickaxe", lambda s: bool(s.pickaxe), (LOG, PLANK, STICK, MANY), WRONG
    ),
)


class Ledger(Finite):
    """A task in the world of crafting with goals on the way. Reward 1 for the task, which ends the episode."""

    def __init__(self, world: Crafting, task: Task, goals: dict[Goal, set[State]]) -> None:
        super().__init__()
        self.world, self.task = world, task
        self.goals = list(goals.items())
        self.actions, self.goal = world.actions, task.words
        self.discount = world.discount

    def starts(self) -> Sequence[tuple[float, State]]:
        return [(p, (s, 0)) for p, s in self.world.starts()]

    def outcomes(self, state: State, action: int) -> Sequence[Outcome]:
        inner, n = cast(Led, state)
        found = []
        for p, after, _ in self.world.outcomes(inner, action):
            reward = float(self.task.done(cast(Crafted, after)))
            reaches = n < len(self.goals) and after in self.goals[n][1]
            bonus = self.goals[n][0].reward if reaches else 0.0
            found.append((p, (after, n + reaches), reward + bonus))
        return found

    def ends(self, state: State) -> bool:
        inner, _ = cast(Led, state)
        return self.task.done(cast(Crafted, inner)) or self.world.ends(inner)

    def describe(self, state: State) -> str:
        inner, n = cast(Led, state)
        return f"{self.world.describe(inner)} You have reached {n} of {len(self.goals)} goals."


@dataclass
class Library:
    """Tasks with their goals and what was learned."""

    entries: dict[str, tuple[list[Goal], Q]] = field(default_factory=dict)

    def nearest(self, words: str) -> Q | None:
        """The Q of the task whose words are the most alike; None where no word is."""
        own = set(words.split())

        def alike(other: str) -> float:
            return len(own & set(other.split())) / len(own | set(other.split()))

        name = max(self.entries, key=alike, default=None)
        return None if name is None or alike(name) == 0 else self.entries[name][1]


def start_from(q: Q | None, actions: int) -> Callable[[State], Sequence[float]] | None:
    """Where Q of a new task begins: at the known Q of the same state and number of goals, else at 0."""
    return None if q is None else lambda state: q.get(state, [0.0] * actions)


@dataclass(frozen=True)
class Learner:
    """How a task is learned. `revisions`: how often the goals of a task are written anew, at most."""

    world: Crafting
    settings: Settings
    revisions: int = 1
    sandbox: Sandbox = "auto"

    def goals(self, speaker: Speaker, task: Task, report: str) -> dict[Goal, set[State]]:
        """Ask for goals, and check their conditions in the sandbox over all states."""
        names = Crafted._fields
        text = (
            f"A learner of a world with {', '.join(names)} as whole numbers shall {task.words}. {report}Write goals on "
            "the way, in order, a line each: what to reach | a condition in Python | a reward from 0 to 1, such as: "
            f"{LOG.line()}"
        )
        right = "\n".join(g.line() for g in task.right)
        (said,) = speaker.answer([Question(text, (), right, task.wrong)])
        states = [cast(Crafted, s) for s in self.world.table().states]
        masks = usable(read_goals(said), names, states, choose(self.sandbox))
        return {g: {s for s, holds in zip(states, mask, strict=True) if holds} for g, mask in masks.items()}

    def learn(self, task: Task, goals: dict[Goal, set[State]], known: Q | None, seed: int) -> tuple[list[float], Q]:
        """Learn a task: whether each episode reached it, and Q."""
        ledger = Ledger(self.world, task, goals)
        hooks = Hooks(start=start_from(known, len(self.world.actions)))
        learned = q_learning(ledger, seed, self.settings, hooks)
        return [float(n < self.settings.horizon) for n in learned.steps], learned.q

    def learn_by_goals(self, speaker: Speaker, task: Task, library: Library, seed: int) -> list[float]:
        """Learn a task by goals and from the library, and keep it there: whether each episode reached it.

        The episodes are learned in parts; behind one that has not reached the task often enough the goals are revised.
        """
        parts = self.revisions + 1
        part = replace(self, settings=replace(self.settings, episodes=self.settings.episodes // parts))
        known, goals = library.nearest(task.words), self.goals(speaker, task, "")
        reached: list[float] = []
        for n in range(parts):
            found, known = part.learn(task, goals, known, seed_for(seed, task.words, n))
            reached += found
            late = fmean(found[-max(1, len(found) // 4) :])
            if late < ENOUGH and n < self.revisions:
                names = ", ".join(g.name for g in goals) or "none"
                report = f"With the goals {names} it was done in {late:.0%} of the episodes. "
                goals = self.goals(speaker, task, report)
        library.entries[task.words] = (list(goals), known or {})
        return reached


def compared(learner: Learner, speaker: Speaker, seeds: list[int]) -> Comparison:
    """Three tasks in a row with goals and a library against each from scratch: the share of episodes that reach it."""
    helped, alone = [], []
    kept: dict[str, Any] = {"sandbox": choose(learner.sandbox).name}
    for seed in seeds:
        library = Library()
        told = [learner.learn_by_goals(speaker, task, library, seed) for task in TASKS]
        untold = [learner.learn(task, {}, None, seed_for(seed, task.words))[0] for task in TASKS]
        helped.append(fmean(x for own in told for x in own))
        alone.append(fmean(x for own in untold for x in own))
        kept[str(seed)] = {words: [g.line() for g in goals] for words, (goals, _) in library.entries.items()}
    return Comparison(helped, alone, {}, kept)
