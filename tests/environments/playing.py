"""Scripted players for environments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from posttrain.environments.environment import Action, Call, Environment, Outcome
from posttrain.records import Message, Prompt
from tests.harness.settings import problems

GIBBERISH = ("", "asdf", "42", "Sure! Here is my answer.", "yes", "I win", "reward = 1", "</think>")


@dataclass
class Played:
    """An episode: what was said at the beginning, and each outcome."""

    begin: tuple[Message, ...]
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def reward(self) -> float | None:
        """The sum of the turns' rewards; None where no turn had one."""
        known = [o.reward for o in self.outcomes if o.reward is not None]
        return sum(known) if known else None

    @property
    def text(self) -> str:
        """What the player read last."""
        messages = self.outcomes[-1].messages if self.outcomes else self.begin
        return str(messages[-1]["content"]) if messages else ""

    @property
    def done(self) -> bool:
        return bool(self.outcomes) and self.outcomes[-1].done


def prompt_of(task: Mapping[str, Any]) -> Prompt:
    """The prompt that a row of a data file becomes."""
    columns = {name: value for name, value in task.items() if name != "prompt"}
    return Prompt(0, task["prompt"], columns)


def play(
    world: Environment,
    task: Mapping[str, Any],
    player: Callable[[Played], str | Action],
    *,
    seed: int = 0,
    turns: int = 60,
) -> Played:
    """Let a player answer what it reads until the episode is over."""
    played = Played(tuple(world.reset(prompt_of(task), seed)))
    try:
        while not played.done and len(played.outcomes) < turns:
            answer = player(played)
            action = answer if isinstance(answer, Action) else Action(answer, answer)
            played.outcomes.append(world.step(action))
    finally:
        world.close()
    return played


def keeps_the_rules(make: Callable[[], Environment], *, without_reward: bool = True) -> None:
    """What holds of every bundled environment: settings with lines, tasks of their seed, nothing for nonsense."""
    world = make()
    kind = type(world)
    assert not problems(kind)
    assert all(p.kind is p.KEYWORD_ONLY for p in inspect.signature(kind).parameters.values())
    tasks = kind.tasks(6, 1)
    assert tasks == kind.tasks(6, 1)
    assert tasks != kind.tasks(6, 2)
    assert list(kind.tasks(3, 1)) == list(tasks[:3])
    for task in tasks[:3]:
        once, again = (play(make(), task, nonsense, seed=5, turns=12) for _ in range(2))
        assert once == again
        if without_reward:
            assert not once.reward or once.reward < 0


def nonsense(played: Played) -> str:
    """Answer something that is no move of any game."""
    return GIBBERISH[len(played.outcomes) % len(GIBBERISH)]


def calling(name: str, **arguments: Any) -> Action:
    """A turn that calls a tool."""
    return Action("", "", (Call(name, arguments, "call00001"),))
