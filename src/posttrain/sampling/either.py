"""The native engine where networks run on flat tokens, and `generate` of transformers where they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from posttrain.models.network import Network
from posttrain.sampling.engine import Engine
from posttrain.sampling.hf import HfEngine
from posttrain.sampling.request import NEVER, POLICY, Completion, Mix, OnFinished, Pause, Progress, Request


class Either:
    """Delegates each call to the engine that supports its networks. Roles may come and go between calls."""

    def __init__(self, networks: Mapping[str, Network], stop: frozenset[int], slots: int = 64) -> None:
        self.networks = networks
        self.native = Engine(networks, stop, slots)
        self.hf = HfEngine(networks, stop, slots)
        self.occupancy = self.hf.occupancy = self.native.occupancy

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
        return self.native if flat else self.hf

    def forget(self) -> None:
        self.native.forget()
