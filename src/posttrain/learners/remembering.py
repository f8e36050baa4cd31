"""Worlds that remember what was done in an episode: their states are those of another world, and what was done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from posttrain.errors import ConfigError
from posttrain.learners.finite import Finite, Outcome
from posttrain.learners.questions import narrated_world
from posttrain.learners.world import State, World

Done = frozenset[str]
Detect = Callable[[State, int, State], Done]  # what a step has done

NOTHING: Done = frozenset()


class Achieving(Finite):
    """States (state, what has been done so far in the episode); rewards and ends are those of the world."""

    def __init__(self, world: Finite, detect: Detect) -> None:
        super().__init__()
        self.world = world
        self.detect = detect
        self.actions = world.actions
        self.goal = world.goal
        self.discount = world.discount

    def starts(self) -> Sequence[tuple[float, State]]:
        return [(p, (state, NOTHING)) for p, state in self.world.starts()]

    def outcomes(self, state: State, action: int) -> Sequence[Outcome]:
        before, done = cast(tuple[State, Done], state)
        return [
            (p, (after, done | self.detect(before, action, after)), reward)
            for p, after, reward in self.world.outcomes(before, action)
        ]

    def ends(self, state: State) -> bool:
        return self.world.ends(cast(tuple[State, Done], state)[0])

    def describe(self, state: State) -> str:
        inner, done = cast(tuple[State, Done], state)
        return f"{self.world.describe(inner)} Done: {', '.join(sorted(done)) or 'nothing'}."


class InOrder(Finite):
    """A task in a world: to do some things in their order. States (state, how many are done); the last earns 1."""

    def __init__(self, world: Finite, task: Sequence[str]) -> None:
        super().__init__()
        self.world = world
        self.task = tuple(task)
        self.caption = narrated_world(world).caption
        self.actions = world.actions
        self.goal = ", then ".join(task)
        self.discount = world.discount

    def moved(self, phase: int, state: State, action: int, after: State) -> int:
        """How many things are done after a step, if `phase` were before it."""
        return phase + (self.caption(state, action, after) == self.task[phase])

    def starts(self) -> Sequence[tuple[float, State]]:
        return [(p, (state, 0)) for p, state in self.world.starts()]

    def outcomes(self, state: State, action: int) -> Sequence[Outcome]:
        before, phase = cast(tuple[State, int], state)
        found = []
        for p, after, _ in self.world.outcomes(before, action):
            then = self.moved(phase, before, action, after)
            found.append((p, (after, then), float(then == len(self.task))))
        return found

    def ends(self, state: State) -> bool:
        inner, phase = cast(tuple[State, int], state)
        return phase == len(self.task) or self.world.ends(inner)

    def describe(self, state: State) -> str:
        inner, phase = cast(tuple[State, int], state)
        return f"{self.world.describe(inner)} Done: {', '.join(self.task[:phase]) or 'nothing'}."


def finite(world: World) -> Finite:
    """The world, if it lists what an action may lead to. ConfigError for one that does not."""
    if not isinstance(world, Finite):
        raise ConfigError(f"{type(world).__name__} does not list what an action may lead to; give a world that does")
    return world
