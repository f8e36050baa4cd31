"""The two interfaces to the hardware: a Learner owns the weights and updates them, a Sampler generates from them.

A version number connects the two. Models are named by role; two roles may share one module (a value head on the
policy). Micro-batches, sharding and devices are hidden behind these methods; their callers know nothing about the
hardware. tests/backends/contract.py specifies what every implementation must do.
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
from posttrain.models.merging.merge import Merge
from posttrain.sampling.request import NEVER, Arrivals, Completion, Distribution, OnFinished, Pause, Request


@dataclass
class Share:
    """The contribution of a minibatch to the optimiser step: to the loss, and to each term and metric by name."""

    loss: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)

    def add(self, loss: float, metrics: Mapping[str, float]) -> None:
        """Add another contribution; metrics of the same name are summed."""
        self.loss += loss
        for name, value in metrics.items():
            self.metrics[name] = self.metrics.get(name, 0.0) + value


@dataclass(frozen=True)
class Snapshot:
    """A copy of the state and of one model, both of the same moment, in memory that no step changes.

    `write(folder)` writes the model and returns which tensors are in which file.
    """

    state: dict[str, Any]
    write: Callable[[Path], Files]


Shape = Literal["normal", "sphere"] | int


@dataclass(frozen=True)
class Direction:
    """A random direction v in the parameter space of a model, with E[v vᵀ] = I. Only its seed is stored.

    "normal": every coordinate is standard normal. "sphere": uniform on the sphere of radius √(number of parameters).
    An int k: k random coordinates are non-zero, with random signs, scaled to that norm.
    """

    seed: int
    shape: Shape = "normal"


@dataclass(frozen=True)
class Mechanism:
    """The Gaussian mechanism of a private step.

    The gradient of every record is scaled down to the norm `clip`; the sum gets noise of standard deviation `noise`
    times `clip`, and is divided by the number of `records` that a step expects.
    """

    clip: float
    noise: float
    records: int


class Learner(Protocol):
    """Trains, measures and saves models by role. Every change of a weight increases `version`."""

    @property
    def version(self) -> int:
        """Number of times that weights have changed. A Sampler synced to it samples from the current weights."""

    def prepare(self, plan: Plan) -> None:
        """Create the models that the plan needs, with optimisers and averages. Raises ConfigError or ModelError."""

    def sizes(self, role: str) -> tuple[int, int]:
        """Number of parameters of a role that are trained, and of all."""

    def forward(self, batch: Batch, wants: Mapping[str, Source]) -> dict[str, Tensor]:
        """Compute model outputs by name, without gradient, for a batch of any size."""

    def accumulate(self, plan: Plan, stream: str, mini: Batch, counts: Mapping[Term, float], *, fresh: bool) -> Share:
        """Run the models on the minibatch and add its gradient to that of the step.

        `counts`: what each term averages over in the whole step. `fresh`: no weight has changed since the batch began.
        """

    def measure(self, plan: Plan, stream: str, mini: Batch, counts: Mapping[Term, float]) -> Share:
        """Compute what `accumulate` returns, without gradient and with `fresh` weights."""

    def step(self, rates: Mapping[str, float]) -> dict[str, float]:
        """Update every trained model, then the averages. Returns the gradient norm of each model, before clipping.

        `rates`: the learning rate of each model; 0 leaves a model and its optimiser as they are. Raises NumericsError,
        with no model updated, if a norm is not finite.
        """

    def discard(self) -> None:
        """Drop the gradient accumulated since the last step."""

    def copy(self, source: str, target: str, share: float = 1.0) -> None:
        """Copy the current weights of `source` to `target`; with share < 1, interpolate that far towards them."""

    def merge(self, sources: Sequence[str], target: str, merge: Merge, base: str | None = None) -> None:
        """Give `target` the weights that the models `sources` become, as differences from `base` if it is given."""

    def move(self, source: str, target: str, along: Sequence[tuple[Direction, float]]) -> None:
        """Set the weights of `target` to those of `source` plus the weighted sum of directions `along`."""

    def set_head(self, role: str, name: str, weight: Tensor) -> None:
        """Give a role a head, or another one, with these weights [K, D] and no bias."""

    def state(self) -> dict[str, Any]:
        """Copy everything that the next step depends on: changed weights, optimisers, averages."""

    def snapshot(self, role: str, *, last: bool = False) -> Snapshot:
        """Copy the state and the model of a role. The copy is valid until the next snapshot is taken.

        `last`: the weights stay as they are until it is written, so it need not be a copy.
        """

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a state, bit for bit. Raises ModelError if it belongs to another model."""

    def stop_at(self, tokens: frozenset[int]) -> None:
        """Let the models that are written from now on name these tokens as the ends of an answer."""

    def save(self, role: str, folder: Path) -> None:
        """Write the model of a role so that plain transformers can load it."""

    def metrics(self) -> dict[str, float]:
        """Return what was measured of its processes since the last call, by the names of metrics."""
        return {}

    def close(self) -> None:
        """End what the learner has started outside of this process."""
        return


class PrivateLearner(Learner, Protocol):
    """A learner that no single record can move far, and whose steps are noisy."""

    def protect(self, mechanism: Mechanism) -> None:
        """Clip and add noise from now on. A step without any record is one of noise alone."""


class Sampler(Protocol):
    """Generates completions with the weights of a Learner, which may live in this process or elsewhere."""

    def sync(self, version: int, steps: int) -> None:
        """From now on, sample from the learner's weights of this version or newer.

        `steps`: the number of training steps behind these weights; every sampled token is tagged with it.
        """

    def stop_at(self, tokens: frozenset[int]) -> None:
        """End answers at these tokens from now on."""

    def generate(
        self,
        requests: Sequence[Request],
        source: Distribution,
        pause: Pause = NEVER,
        on_finished: OnFinished | None = None,
        arrivals: Arrivals | None = None,
    ) -> list[Completion]:
        """Sample one completion per request, in their order, from a geometric mixture of models or with a decoder.

        `on_finished` is called with each completion as it finishes. Once it returns True, or `pause` asks for it, the
        remaining completions are returned unfinished. `arrivals` are requests that join those that run; their
        completions follow.
        """

    def release(self) -> None:
        """Free the memory that is held only for later requests, so that training can use it."""

    def metrics(self) -> dict[str, float]:
        """Return the slot utilisation since the last call."""

    def close(self) -> None:
        """End what the sampler has started outside of this process."""
        return  # nothing, where it has not
