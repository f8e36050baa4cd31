"""The two seams for machines: a Learner has the weights and moves them, a Sampler draws tokens from them.

A version number passes between the two. Model names are roles; two roles may share one module (a value head on the
policy). Cutting into micro-batches, sharding and devices live behind these verbs; what stands before them knows no
machine. tests/backends/contract.py says what every implementation must do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from torch import Tensor

from posttrain.core.batch import Batch
from posttrain.core.method import Term
from posttrain.core.plan import Plan
from posttrain.core.vocabulary import Source
from posttrain.machine.disk import Files
from posttrain.sampling.request import NEVER, Completion, Mix, OnFinished, Pause, Request


@dataclass
class Share:
    """What a minibatch adds to the optimiser step: its loss, and every term and metric by name."""

    loss: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)

    def add(self, loss: float, metrics: Mapping[str, float]) -> None:
        self.loss += loss
        for name, value in metrics.items():
            self.metrics[name] = self.metrics.get(name, 0.0) + value


@dataclass(frozen=True)
class Snapshot:
    """A state, and a function that writes a model into a folder and says which tensors it wrote.

    Both of one moment, in memory that no step changes.
    """

    state: dict[str, Any]
    write: Callable[[Path], Files]


Shape = Literal["normal", "sphere"] | int


@dataclass(frozen=True)
class Direction:
    """A random direction v in the space of a model's parameters, with E[v vᵀ] = 1: its seed, which takes no memory.

    normal: every coordinate is normal. sphere: uniform among those as long as √(number of parameters). A number: so
    many coordinates by chance are not 0, with signs by chance and that length.
    """

    seed: int
    shape: Shape = "normal"


class Learner(Protocol):
    """Trains, measures and saves models by role. Every change of a weight changes `version`."""

    @property
    def version(self) -> int:
        """Number of times that a weight of any model has changed. A Sampler that has it samples from these weights."""

    def prepare(self, plan: Plan) -> None:
        """Make the models that the plan needs, their optimisers and averages (ModelError if one cannot be made)."""

    def forward(self, batch: Batch, wants: Mapping[str, Source]) -> dict[str, Tensor]:
        """Compute model outputs without gradient, for a batch of any size."""

    def accumulate(self, plan: Plan, stream: str, mini: Batch, counts: Mapping[Term, float], *, fresh: bool) -> Share:
        """Cut the minibatch, run the models, add up the gradient. `fresh`: nothing has moved since the batch began."""

    def step(self, rates: Mapping[str, float]) -> dict[str, float]:
        """Step every trained model, then the averages. Returns the gradient norm of each model.

        If one of them is not finite no model moves (NumericsError).
        """

    def discard(self) -> None:
        """Drop the gradient that was accumulated since the last step."""

    def copy(self, source: str, target: str, share: float = 1.0) -> None:
        """Give one role the weights of another, as they are now; with share < 1 move it that far towards them."""

    def move(self, source: str, target: str, along: Sequence[tuple[Direction, float]]) -> None:
        """Give one role the weights of another plus every direction times its number."""

    def state(self) -> dict[str, Any]:
        """Copy everything that the next step depends on: changed weights, optimisers."""

    def snapshot(self, role: str) -> Snapshot:
        """Copy the state and the model of a role as they are now, good until the next snapshot is taken."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a state, bit for bit (ModelError if it is of another model)."""

    def save(self, role: str, folder: Path) -> None:
        """Write a model that plain transformers opens."""


class Sampler(Protocol):
    """Answers requests with the weights of a Learner, which may be in this process or elsewhere."""

    def sync(self, version: int, steps: int) -> None:
        """Sample from the learner's weights of this version from now on, or from newer ones.

        `steps`: the training steps that they have seen. Every token that is drawn carries this number.
        """

    def generate(
        self, requests: Sequence[Request], mix: Mix, pause: Pause = NEVER, on_finished: OnFinished | None = None
    ) -> list[Completion]:
        """Sample from the geometric mixture of models, one completion for each request, in their order.

        After a `pause`, or once `on_finished` (called with each completion as it finishes) returns True, the others
        come back unfinished.
        """

    def release(self) -> None:
        """Free memory that is only held for later requests: training needs it now."""

    def metrics(self) -> dict[str, float]:
        """Slot utilisation since the last call."""
