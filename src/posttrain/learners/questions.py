"""Questions about a world, in its words. What is true is computed from the exact table, for the scripted speaker alone.

A world whose states cannot be listed has no truth to tell: there a model must speak.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from random import Random

import numpy as np

from posttrain.errors import ConfigError
from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.value_iteration import Values, value_iteration
from posttrain.learners.world import Floats, Narrated, State, Table, World
from posttrain.seeds import seed_for

GOOD, NEUTRAL, BAD = "good", "neutral", "bad"
YES, NO = "yes", "no"
GRADES = ("1", "2", "3", "4", "5")  # of how near the goal is

FIRST, SECOND, NEITHER = "first", "second", "no preference"  # what who compares two things may say


class Asked:
    """The questions about one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def _table(self) -> Table | None:
        try:
            return self.world.table()
        except ConfigError:
            return None

    @cached_property
    def _values(self) -> Values | None:
        return None if self._table is None else value_iteration(self._table)

    @cached_property
    def _index(self) -> dict[State, int]:
        return {} if self._table is None else self._table.index()

    def states(self) -> list[State]:
        """List the states that are no end; where they cannot be listed, those that random actions meet."""
        if self._table is None:
            return met(self.world)
        return [state for state, ended in zip(self._table.states, self._table.terminal, strict=True) if not ended]

    # ---- questions

    def which(self, state: State) -> Question:
        """Ask which action is the best."""
        text = f"{self._view(state)}\nWhich action is the best now?"
        q = self._q(state)
        if q is None:
            return Question(text, self.world.actions)
        right = np.isclose(q, q.max(), rtol=0, atol=1e-9)
        wrong = tuple(a for a, best in zip(self.world.actions, right, strict=True) if not best)
        return Question(text, self.world.actions, self.world.actions[int(right.argmax())], wrong)

    def rate(self, state: State, action: int) -> Question:
        """Ask whether an action is good (none is better), neutral (it loses a step at most) or bad."""
        text = f"{self._view(state)}\nIs the action {self.world.actions[action]!r} good, neutral or bad now?"
        q = self._q(state)
        if q is None:
            return Question(text, (GOOD, NEUTRAL, BAD))
        highest, own = q.max(), q[action]
        truth = GOOD if own >= highest - 1e-9 else NEUTRAL if own >= self.world.discount * highest - 1e-9 else BAD
        return Question(text, (GOOD, NEUTRAL, BAD), truth)

    def grade(self, state: State) -> Question:
        """Ask how near the goal is, from 1 (far) to 5 (near)."""
        text = f"{self._view(state)}\nHow near is the goal, from 1 (far away) to 5 (one step away)?"
        if self._values is None or self._table is None:
            return Question(text, GRADES)
        V = self._values.V
        low, high = V[~self._table.terminal].min(), V.max()
        share = (V[self._index[state]] - low) / (high - low) if high > low else 1.0
        return Question(text, GRADES, GRADES[min(4, int(5 * share))])

    def suggests(self, state: State, goal: str) -> Question:
        """Ask whether something would be worth doing in a state."""
        truth = YES if goal in narrated_world(self.world).subgoals else NO
        return Question(f"{self._view(state)}\nWould it make sense to {goal}?", (YES, NO), truth)

    def achieved(self, goal: str, state: State, action: int, after: State) -> Question:
        """Ask whether a step has done something."""
        made = narrated_world(self.world).caption(state, action, after)
        text = (
            f"Before: {self.world.describe(state)}\nAction: {self.world.actions[action]}\n"
            f"After: {self.world.describe(after)}\nWas this done by it: {goal}?"
        )
        return Question(text, (YES, NO), YES if made == goal else NO)

    # ---- what is true

    def _view(self, state: State) -> str:
        return f"The task: {self.world.goal}.\n{self.world.describe(state)}"

    def _q(self, state: State) -> Floats | None:
        return None if self._values is None else np.asarray(self._values.Q[self._index[state]])


def met(world: World, *, episodes: int = 20, horizon: int = 100, most: int = 500) -> list[State]:
    """States that are no end, in the order in which random actions meet them; at most `most`."""
    found: dict[State, None] = {}
    for episode in range(episodes):
        seed = seed_for(0, "met", episode)
        chance, state, done, time = Random(seed), world.reset(seed), False, 0  # noqa: S311
        while not done and time < horizon and len(found) < most:
            found[state] = None
            step = world.step(chance.randrange(len(world.actions)))
            state, done, time = step.state, step.done, time + 1
    return list(found)


def narrated_world(world: World) -> Narrated:
    """The world, if it says what its steps do. ConfigError for one that does not."""
    if not hasattr(world, "caption"):
        raise ConfigError(f"{type(world).__name__} does not say what a step has done; a world with `caption` does")
    return world  # type: ignore[return-value]


def prior(world: World, speaker: Speaker, states: Sequence[State], *, least: float = 0.01) -> dict[State, Floats]:
    """The speaker's probabilities of the actions of each state, none of them below `least`; even where it says none."""
    asked = Asked(world)
    said = speaker.probabilities([asked.which(state) for state in states])
    return {s: probable(p, len(world.actions), least) for s, p in zip(states, said, strict=True)}


def probable(said: Iterable[float] | None, count: int, least: float) -> Floats:
    """The probabilities of `count` actions, none of them below `least`; even ones where nothing could be read."""
    return np.full(count, 1 / count) if said is None else floored(said, least)


def rows(table: Table, prior: Mapping[State, Floats]) -> Floats:
    """A prior as an array [S, A]; even where it has no state."""
    count = table.R.shape[1]
    return np.array([prior.get(state, np.full(count, 1 / count)) for state in table.states])


def floored(probabilities: Iterable[float], least: float) -> Floats:
    """Probabilities mixed with even ones, so that none is below `least`."""
    p = np.array([*probabilities])
    return np.asarray((1 - least * len(p)) * p + least)


def better(gap: float, tie: float) -> str:
    """Say which of two things is better by how far the first is ahead: neither where it is less than `tie`."""
    return NEITHER if abs(gap) < tie else FIRST if gap > 0 else SECOND
