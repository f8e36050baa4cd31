"""Q-learning on a table, with the places where help can enter.

Q(s, a) ← Q(s, a) + α_n (r + Σ extras + γ Q(s', a') - Q(s, a)),    a' = argmax_a Q(s', a) + preference(s', a)

α_n = 1 / (1 + n(s, a) decay)^power × rate, n(s, a): how often the pair was tried before
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from posttrain.learners.world import State, World
from posttrain.seeds import seed_for

Q = dict[State, list[float]]
Numbers = Callable[[State], Sequence[float]]  # of a state, one for each action


@dataclass(frozen=True)
class Transition:
    """One step of an episode. `reward` is the world's own; `episode` counts from 0, `time` within it."""

    state: State
    action: int
    reward: float
    after: State
    done: bool
    episode: int
    time: int


class Extra(Protocol):
    """Reward on top of the world's own: a shift, a shaping, a bonus for a goal."""

    def begin(self, state: State, episode: int) -> None:
        """Begin an episode."""

    def __call__(self, step: Transition) -> float | None:
        """Return what a step earns besides; None where nobody knows, and nothing is learned from it."""


@dataclass(frozen=True)
class Task:
    """Another task that is learned from the same steps, an automaton with `phases` phases.

    `move`: for a phase and a step the next phase, what the step earns, and whether the task ends with it. `view`: what
    the task needs of a state; None needs all of it.
    """

    move: Callable[[int, Transition], tuple[int, float, bool]]
    phases: int = 1
    view: Callable[[State], State] | None = None


@dataclass(frozen=True)
class Hooks:
    """Where help enters.

    `extras`: rewards that are learned from besides the world's. `start`: Q before the first step. `preference`: numbers
    that are added to Q when an action is chosen, in episodes and in the bootstrap, but not to the value itself.
    `pull`: for a state and an episode (values of the actions, weight): Q moves towards the values by that weight.
    `tasks`: other tasks, learned off policy.
    """

    extras: Sequence[Extra] = ()
    start: Numbers | None = None
    preference: Numbers | None = None
    pull: Callable[[State, int], tuple[Sequence[float | None], float]] | None = None
    tasks: Mapping[str, Task] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """How Q-learning learns.

    `rate`: the first learning rate, above 0 and at most 1. `decay`: 0 keeps it, 1 makes it 1 / n. `explore`: share of
    random actions. `horizon`: steps after which an episode is cut, without being an end. `double`: two tables, each
    valued by the other's choice.
    """

    episodes: int = 200
    rate: float = 0.5
    decay: float = 0.0
    power: float = 1.0
    explore: float = 0.1
    horizon: int = 100
    double: bool = False


@dataclass
class Learned:
    """`q`: the table, the mean of the two where it is double. `returns`: what each episode earned in the world itself,
    discounted. `steps`: how long each was. `tasks`: the tables of the other tasks, by state and phase.
    """

    q: Q = field(default_factory=dict)
    returns: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    tasks: dict[str, Q] = field(default_factory=dict)


def q_learning(world: World, seed: int, settings: Settings | None = None, hooks: Hooks | None = None) -> Learned:
    """Learn by acting. Everything random derives from `seed`."""
    learner = QLearner(world, seed, settings or Settings(), hooks or Hooks())
    for episode in range(learner.settings.episodes):
        learner.play(episode)
    learned = learner.learned
    if learner.settings.double:
        learned.q = {s: [(x + y) / 2 for x, y in zip(q, learner.other[s], strict=True)] for s, q in learned.q.items()}
    return learned


class QLearner:
    """The tables of one learner, how it chooses, and how it learns from a step."""

    def __init__(self, world: World, seed: int, settings: Settings, hooks: Hooks) -> None:
        self.world = world
        self.seed = seed
        self.settings = settings
        self.hooks = hooks
        self.chance = Random(seed_for(seed, "q_learning"))  # noqa: S311
        self.learned = Learned(tasks={name: {} for name in hooks.tasks})
        self.other: Q = {}  # the second table of a double estimator
        self.tried: dict[tuple[State, int], int] = {}

    def play(self, episode: int) -> None:
        """Act for one episode and learn from every step."""
        state = self.world.reset(seed_for(self.seed, "episode", episode))
        for extra in self.hooks.extras:
            extra.begin(state, episode)
        earned, discount, time, done = 0.0, 1.0, 0, False
        while not done and time < self.settings.horizon:
            action = self.choose(state)
            after = self.world.step(action)
            self.learn(Transition(state, action, after.reward, after.state, after.done, episode, time))
            earned, discount = earned + discount * after.reward, discount * self.world.discount
            state, time, done = after.state, time + 1, after.done
        self.learned.returns.append(earned)
        self.learned.steps.append(time)

    def choose(self, state: State) -> int:
        """Draw an action: a random one with probability `explore`, otherwise one of the best."""
        if self.chance.random() < self.settings.explore:
            return self.chance.randrange(len(self.world.actions))
        preferred = self._preferred(state)
        highest = max(preferred)
        return self.chance.choice([a for a, x in enumerate(preferred) if x == highest])

    def learn(self, step: Transition) -> None:
        """Move the tables by one step."""
        extras = [extra(step) for extra in self.hooks.extras]
        if None in extras:
            return
        pair = (step.state, step.action)
        tried = self.tried[pair] = self.tried.get(pair, -1) + 1
        rate = self.settings.rate / (1 + self.settings.decay * tried) ** self.settings.power
        reward = step.reward + sum(x for x in extras if x is not None)
        moved, valued = self._tables()
        row = self._row(moved, step.state)
        ahead = 0.0 if step.done else self._row(valued, step.after)[self._best(moved, step.after)]
        row[step.action] += rate * (reward + self.world.discount * ahead - row[step.action])
        if self.hooks.pull is not None:
            values, weight = self.hooks.pull(step.state, step.episode)
            row[:] = [x if h is None else x + weight * (h - x) for x, h in zip(row, values, strict=True)]
        self._learn_tasks(step, rate)

    def _learn_tasks(self, step: Transition, rate: float) -> None:
        for name, task in self.hooks.tasks.items():
            q, before, after = self.learned.tasks[name], step.state, step.after
            if task.view is not None:
                before, after = task.view(before), task.view(after)
            for phase in range(task.phases):
                then, reward, done = task.move(phase, step)
                row = q.setdefault((before, phase), self._zeros())
                ahead = 0.0 if done else max(q.setdefault((after, then), self._zeros()))
                row[step.action] += rate * (reward + self.world.discount * ahead - row[step.action])

    def _tables(self) -> tuple[Q, Q]:
        """The table that is moved, and the one that says what its choice is worth."""
        if not self.settings.double:
            return self.learned.q, self.learned.q
        both = (self.learned.q, self.other)
        return both if self.chance.random() < 0.5 else both[::-1]

    def _best(self, q: Q, state: State) -> int:
        """The choice of the bootstrap: the first of the best."""
        row = self._with_preference(self._row(q, state), state)
        return row.index(max(row))

    def _preferred(self, state: State) -> list[float]:
        """What an action is chosen by: Q, the sum of the two where it is double, and the preference."""
        row = self._row(self.learned.q, state)
        if self.settings.double:
            row = [x + y for x, y in zip(row, self._row(self.other, state), strict=True)]
        return self._with_preference(row, state)

    def _with_preference(self, row: list[float], state: State) -> list[float]:
        if self.hooks.preference is None:
            return row
        return [x + y for x, y in zip(row, self.hooks.preference(state), strict=True)]

    def _row(self, q: Q, state: State) -> list[float]:
        if state not in q:
            q[state] = self._zeros() if self.hooks.start is None else list(self.hooks.start(state))
            if self.settings.double:  # both tables know the same states
                other = self.other if q is self.learned.q else self.learned.q
                other.setdefault(state, list(q[state]))
        return q[state]

    def _zeros(self) -> list[float]:
        return [0.0] * len(self.world.actions)


def greedy(q: Q) -> dict[State, int]:
    """The first of the best actions of each state."""
    return {state: row.index(max(row)) for state, row in q.items()}
