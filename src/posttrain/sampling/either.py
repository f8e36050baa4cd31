"""The native engine, and for networks that cannot run on flat tokens `generate` of transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from posttrain.models.network import Network
from posttrain.sampling.engine import Engine
from posttrain.sampling.hf import HfEngine
from posttrain.sampling.request import NEVER, POLICY, Completion, Mix, OnFinished, Pause, Progress, Request


class Either:
    """Every call goes to the engine that its networks allow; roles may come and go between calls."""

    def __init__(self, networks: Mapping[str, Network], stop: frozenset[int], slots: int = 64) -> None:
        self.networks = networks
        self.native, self.slow = Engine(networks, stop, slots), HfEngine(networks, stop, slots)
        self.occupancy = self.slow.occupancy = self.native.occupancy

    def generate(
        self,
        requests: Sequence[Request],
        mix: Mix = POLICY,
        progress: Progress | None = None,
        *,
        pause: Pause = NEVER,
        on_finished: OnFinished | None = None,
    ) -> list[Completion]:
        return self.chosen(mix).generate(requests, mix, progress, pause=pause, on_finished=on_finished)

    def chosen(self, mix: Mix) -> Engine | HfEngine:
        flat = all(self.networks[role].flat for role, _ in mix if role in self.networks)
        return self.native if flat else self.slow

    def forget(self) -> None:
        self.native.forget()
