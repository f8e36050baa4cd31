"""Training with differential privacy: Deep Learning with Differential Privacy (Abadi et al., 2016), DP-SGD.

    g = (Σ_i g_i min(1, C/|g_i|) + N(0, σ²C²)) / B

g_i is the gradient of one record, over all models that it trains together, B the number of records that a step expects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.protocol import Mechanism, PrivateLearner, Share
from posttrain.core.batch import Batch
from posttrain.core.plan import Plan
from posttrain.core.reduce import Counts, micro_loss
from posttrain.core.reduce import counts as counted
from posttrain.core.vocabulary import When
from posttrain.seeds import seed_for


class LocalPrivateLearner(LocalLearner, PrivateLearner):
    """A local learner with one backward pass for each record, whose gradient is clipped before it is added.

    What a term averages over is counted within the record. `taken`: the number of noisy steps, of which the noise of
    the next one is a function: a resumed run draws the same.
    """

    def __init__(self, models: Mapping[str, nn.Module], **settings: Any) -> None:
        super().__init__(models, **settings)
        self.mechanism: Mechanism | None = None
        self.sums: dict[str, list[Tensor]] = {}  # of the clipped gradients, by role
        self.taken = 0

    def protect(self, mechanism: Mechanism) -> None:
        """Clip and add noise from now on."""
        self.mechanism = mechanism

    def prepare(self, plan: Plan) -> None:
        """Create the models of the plan, and room for the sum of the clipped gradients."""
        super().prepare(plan)
        self.sums = {role: [s.master.zeros() for s in o.param_states] for role, o in self.optimisers.items()}

    def accumulate(self, plan: Plan, stream: str, mini: Batch, counts: Counts, *, fresh: bool) -> Share:
        """Add the clipped gradient of every unit of the minibatch: a record, with the rows that are tied to it."""
        if not torch.is_grad_enabled():
            return super().accumulate(plan, stream, mini, counts, fresh=fresh)
        share, wants = Share(), plan.forwards.get((When.LIVE, stream), {})
        units = mini.units(plan.links(stream))
        for number, unit in enumerate(units, 1):
            alone = mini.select(unit).to(self.device)
            own = counted(counts, alone)
            loss, parts = micro_loss(plan, stream, alone, self._outputs(alone, wants), own, fresh=fresh)
            if loss.requires_grad:
                loss.backward()  # type: ignore[no-untyped-call]
                self._add_clipped()
            share.add(float(loss.detach()) / len(units), {n: x / len(units) for n, x in parts.items()})
            self.progress("training", number, len(units))
        return share

    @torch.no_grad()
    def _add_clipped(self) -> None:
        assert self.mechanism is not None
        norm = torch.stack([o.norm() for o in self.optimisers.values()]).norm()
        factor = (self.mechanism.clip / norm.clamp(min=1e-12)).clamp(max=1)
        for role, optimiser in self.optimisers.items():
            for total, state in zip(self.sums[role], optimiser.param_states, strict=True):
                if state.grad is not None:
                    total.add_(state.grad * factor)
            optimiser.zero()

    def step(self, rates: Mapping[str, float]) -> dict[str, float]:
        """Update all models along the noisy sum, also where no record was drawn."""
        self._add_noise()
        self.taken += 1
        return super().step(rates)

    @torch.no_grad()
    def _add_noise(self) -> None:
        m = self.mechanism
        assert m is not None
        generator = torch.Generator().manual_seed(seed_for(self.seed, "privacy", self.taken))
        for role, optimiser in self.optimisers.items():
            for total, state in zip(self.sums[role], optimiser.param_states, strict=True):
                if m.noise:
                    drawn = torch.randn(len(total), generator=generator)  # on the CPU: every machine draws the same
                    total.add_(drawn.to(total), alpha=m.noise * m.clip)
                state.put(total / m.records)
                total.zero_()

    def discard(self) -> None:
        """Drop the accumulated gradient of all models."""
        super().discard()
        for total in (t for totals in self.sums.values() for t in totals):
            total.zero_()

    def _live(self) -> dict[str, Any]:
        return {**super()._live(), "private": {"taken": self.taken}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Load a state. Raises ModelError if it belongs to another model."""
        super().restore(state)
        self.taken = state.get("private", {"taken": 0})["taken"]
