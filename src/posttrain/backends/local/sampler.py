"""The sampler of one process. It runs the learner's own modules, so new weights need no copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from posttrain.backends.protocol import Sampler
from posttrain.models.network import Network
from posttrain.sampling.engine import Engine
from posttrain.sampling.hf import HfEngine
from posttrain.sampling.request import (
    NEVER,
    POLICY,
    Arrivals,
    Completion,
    Distribution,
    OnFinished,
    Pause,
    Request,
    roles_of,
)


@dataclass(frozen=True)
class _Stamped(Arrivals):
    """Arrivals whose tokens are tagged with the training steps behind the weights."""

    arrivals: Arrivals
    steps: int

    @property
    def away(self) -> int:
        return self.arrivals.away

    def take(self, wait: bool) -> list[Request]:
        return [replace(r, version=self.steps) for r in self.arrivals.take(wait)]


class LocalSampler(Sampler):
    """Samples with the native engine, or with transformers' `generate` if a network cannot run on flat tokens.

    `networks`: the learner's models by role; roles may be added and removed between calls.
    """

    def __init__(
        self,
        networks: Mapping[str, Any],
        stop: frozenset[int] = frozenset(),
        slots: int = 64,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self.networks = networks
        self.engine = Engine(networks, stop, slots)
        self.hf_engine = HfEngine(networks, stop, slots)
        self.occupancy = self.hf_engine.occupancy = self.engine.occupancy
        self.progress = progress or (lambda *_: None)
        self.version = 0
        self.steps = 0

    def sync(self, version: int, steps: int) -> None:
        """Drop what was cached under other weights; tag the tokens from now on with `steps`."""
        if version != self.version:
            self.release()
        self.version = version
        self.steps = steps

    def stop_at(self, tokens: frozenset[int]) -> None:
        """End answers at these tokens from now on."""
        self.engine.stop = self.hf_engine.stop = tokens

    def generate(
        self,
        requests: Sequence[Request],
        source: Distribution = POLICY,
        pause: Pause = NEVER,
        on_finished: OnFinished | None = None,
        arrivals: Arrivals | None = None,
    ) -> list[Completion]:
        """Sample one completion per request with the engine that all networks it is drawn from support.

        Raises ModelError for a classifier.
        """
        stamped = [replace(r, version=self.steps) for r in requests]
        progress = partial(self.progress, "sampling")
        later = None if arrivals is None else _Stamped(arrivals, self.steps)
        return self._engine(source).generate(
            stamped, source, progress, pause=pause, on_finished=on_finished, arrivals=later
        )

    def _engine(self, source: Distribution) -> Engine | HfEngine:
        asked = [self.networks[role] for role in roles_of(source) if role in self.networks]
        for network in asked:
            if isinstance(network, Network):
                network.check_writes("cannot be sampled")
        flat = all(network.flat for network in asked)
        return self.engine if flat else self.hf_engine

    def release(self) -> None:
        """Free the caches of keys and values."""
        self.engine.forget()

    def metrics(self) -> dict[str, float]:
        """Return the slot utilisation since the last call."""
        return self.occupancy.metrics()
