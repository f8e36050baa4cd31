"""Skills: a few actions and a condition for success, practised by Q-learning, whose values say what can be done.

A skill is an option: it goes on until it succeeds. Its affordance c(k, s) is the value of the skill's own problem,
where success earns 1 and ends it: the discounted probability that the skill succeeds from s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from posttrain.learners.finite import Finite, Outcome
from posttrain.learners.q_learning import Q, Settings, q_learning
from posttrain.learners.world import Floats, State, Table
from posttrain.seeds import seed_for

Practising = tuple[State, bool]  # a state of the world, and whether the skill has succeeded
PRACTICE = Settings(episodes=400, rate=1.0, decay=0.1, explore=0.2, horizon=20)


@dataclass(frozen=True)
class Skill:
    """A name in words, the numbers of the world's actions that it uses, and whether a step was its success."""

    name: str
    actions: tuple[int, ...]
    succeeds: Callable[[State, State], bool]  # (before, after)


class Practice(Finite):
    """A world in which one skill is practised: it begins anywhere, success earns 1, and nothing else does."""

    def __init__(self, world: Finite, skill: Skill, states: Sequence[State]) -> None:
        super().__init__()
        self.world, self.skill = world, skill
        self.states = states
        self.actions = tuple(world.actions[a] for a in skill.actions)
        self.goal, self.discount = skill.name, world.discount

    def starts(self) -> Sequence[tuple[float, State]]:
        return [(1 / len(self.states), (s, False)) for s in self.states]

    def outcomes(self, state: State, action: int) -> Sequence[Outcome]:
        before, _ = cast(Practising, state)
        found = []
        for p, after, _ in self.world.outcomes(before, self.skill.actions[action]):
            success = self.skill.succeeds(before, after)
            found.append((p, (after, success), float(success)))
        return found

    def ends(self, state: State) -> bool:
        inner, success = cast(Practising, state)
        return success or self.world.ends(inner)

    def describe(self, state: State) -> str:
        return self.world.describe(cast(Practising, state)[0])


@dataclass(frozen=True)
class Practised:
    """A skill and the Q-table of its practice, by the world's states."""

    skill: Skill
    q: Q

    def affordance(self, state: State) -> float:
        """c(k, s) = max_a Q(s, a), within 0 and 1; 0 where the skill was never practised."""
        return min(max(max(self.q.get(state, [0.0])), 0.0), 1.0)

    def act(self, state: State) -> int:
        """The world's action that the skill takes."""
        row = self.q.get(state, [0.0] * len(self.skill.actions))
        return self.skill.actions[row.index(max(row))]


def practise(world: Finite, skills: Sequence[Skill], seed: int, settings: Settings = PRACTICE) -> list[Practised]:
    """Learn every skill by Q-learning from all over the world."""
    table = world.table()
    states = [s for s, end in zip(table.states, table.terminal, strict=True) if not end]
    learned = [q_learning(Practice(world, k, states), seed_for(seed, k.name), settings) for k in skills]
    return [Practised(skill, _unfinished(one.q)) for skill, one in zip(skills, learned, strict=True)]


def _unfinished(q: Q) -> Q:
    """The rows of the states in which a skill has not succeeded, by the states of the world."""
    pairs = ((cast(Practising, state), row) for state, row in q.items())
    return {state: row for (state, success), row in pairs if not success}


def option_model(table: Table, practised: Practised) -> tuple[Floats, Floats]:
    """What a skill leads to, exactly: expected discounted reward [S] and discounted distribution of its end [S, S].

        r = R_π + γ P_on r        D = γ P_end + γ P_on D

    `P_end` are the steps that end it, with success or with the episode, `P_on` the others. A skill that never succeeds
    somewhere has a row of zeros there.
    """
    states = table.states
    actions = [practised.act(s) for s in states]
    P = table.P[np.arange(len(states)), actions]
    R = np.where(table.terminal, 0.0, table.R[np.arange(len(states)), actions])
    ends = np.array([[practised.skill.succeeds(s, t) for t in states] for s in states]) | table.terminal[None, :]
    P[table.terminal] = 0.0
    on = np.eye(len(states)) - table.discount * np.where(ends, 0.0, P)
    r, D = np.linalg.solve(on, R), np.linalg.solve(on, table.discount * np.where(ends, P, 0.0))
    return np.asarray(r, np.float64), np.asarray(D, np.float64)


def skill_values(table: Table, practised: Sequence[Practised], tolerance: float = 1e-12) -> Floats:
    """The value [S, K] of beginning with each skill and going on with the best ones (semi-Markov value iteration)."""
    models = [option_model(table, p) for p in practised]
    V = np.zeros(len(table.states))
    while True:
        Q = np.stack([r + D @ V for r, D in models], axis=1)
        new = np.where(table.terminal, 0.0, Q.max(axis=1))
        if np.abs(new - V).max() <= tolerance:
            return Q
        V = new
