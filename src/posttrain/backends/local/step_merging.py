"""Optimiser steps of a module that are merged with the difference between two others."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from posttrain.core.weights import StepMerging
from posttrain.errors import ModelError
from posttrain.models.adapters import adapted, trained_parameters
from posttrain.models.merging.steps import LARGEST, merged_step, sparse
from posttrain.seeds import seed_for


class StepMerger:
    """Replaces the steps of the trained parameters of a module, by their number.

    F(τ) is made at the first step, when a resumed run has its weights again, and kept. The masks derive from a seed,
    the name of the parameter and the number of its step, so that a checkpoint needs nothing of them.
    """

    def __init__(self, how: StepMerging, module: nn.Module, tuned: nn.Module, base: nn.Module, seed: int) -> None:
        if adapted(module):
            raise ModelError(
                "step_merging adds a difference of whole weights to adapters; remove model.lora or model.ia3"
            )
        self.how, self.seed = how, seed
        self.names = list(trained_parameters(module))
        self.ends = [dict(m.named_parameters()) for m in (tuned, base)]
        self.tasks: dict[str, Tensor] = {}

    def merge(self, number: int, before: Tensor, after: Tensor, steps: int) -> None:
        """Replace the step from `before` to `after`, both flat, in `after`. New heads keep their step."""
        name = self.names[number]
        if any(name not in end for end in self.ends):
            return
        step = after - before
        chosen = sparse(step, self.how, seed_for(self.seed, "step", name, steps))
        after += merged_step(chosen, self._task(name, after), self.how) - step  # nothing, to the bit, for the same step

    def _task(self, name: str, like: Tensor) -> Tensor:
        if name not in self.tasks:
            tuned, base = (end[name].detach().reshape(-1).to(like.dtype) for end in self.ends)
            difference = (tuned - base).clamp(-LARGEST, LARGEST)
            self.tasks[name] = sparse(difference, self.how, seed_for(self.seed, "task", name))
        return self.tasks[name]


def merger_of(
    merged: Mapping[str, StepMerging],
    models: Mapping[str, nn.Module],
    module: nn.Module,
    seed: int,
    kind: type[StepMerger] = StepMerger,
) -> StepMerger | None:
    """The merger of a module's steps, if a role that it has is to have one."""
    for role, how in merged.items():
        if models[role] is module and how.weight > 0:
            return kind(how, module, models[how.tuned], models[how.base], seed)
    return None
