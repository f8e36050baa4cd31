"""Answers of earlier steps that a step trains on again, beside fresh ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from posttrain.records import Episode, Prompt
from posttrain.runs.rounds import as_episodes, as_row
from posttrain.seeds import seed_for


class Replay:
    """The groups of answers of the last `steps` steps. Up to `prompts` of them join the fresh groups of each step.

    An answer keeps its reward and the log-probs and versions that it was sampled with, so its age is known exactly.
    """

    def __init__(self, prompts: int, steps: int, seed: int) -> None:
        self.prompts = prompts
        self.steps = steps
        self.seed = seed
        self.held: list[tuple[int, list[Episode]]] = []  # the step that a group was drawn for, and its answers

    def ready(self, step: int) -> int:
        """Forget what is too old, and return how many prompts this step replays."""
        self.held = [(drawn, group) for drawn, group in self.held if step - drawn <= self.steps]
        return min(self.prompts, len({group[0].prompt.id for _, group in self.held}))

    def take(self, step: int, number: int, besides: Collection[int]) -> list[Episode]:
        """Draw the groups of `number` prompts at random; fewer if the others have fresh answers (`besides`, ids)."""
        order = sorted(self.held, key=lambda held: seed_for(self.seed, step, held[0], held[1][0].prompt.id))
        chosen: dict[int, list[Episode]] = {}
        for _, group in order:  # two groups of one prompt would be compared with each other
            if group[0].prompt.id not in besides:
                chosen.setdefault(group[0].prompt.id, group)
        return [e for group in list(chosen.values())[:number] for e in group]

    def keep(self, step: int, groups: Sequence[Sequence[Episode]]) -> None:
        """Keep the fresh groups of a step for later ones."""
        if self.prompts:
            self.held += [(step, list(group)) for group in groups if group]

    def state(self) -> list[Any]:
        """Return what is held as plain data."""
        return [[step, [as_row(e) for e in group]] for step, group in self.held]

    def restore(self, saved: Sequence[Any], prompts: Mapping[int, Prompt]) -> None:
        """Continue from a `state`."""
        self.held = [(step, as_episodes(rows, list(prompts.values()))) for step, rows in saved]
