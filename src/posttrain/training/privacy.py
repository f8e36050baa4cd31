"""Differential privacy of a run (Wu et al., 2024, for RLHF): what it allows, and how much of it is spent.

A step is a Gaussian mechanism on records that are drawn independently of each other. What it spends follows from the
share of the records that it draws and from the noise (core/maths/privacy.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from posttrain.core.maths.privacy import ORDERS, epsilon, noise_for, rdp
from posttrain.errors import ConfigError

if TYPE_CHECKING:
    from posttrain.config.sections.privacy import Privacy


@dataclass
class Ledger:
    """What the steps of a run have spent, at every order of Rényi's divergence."""

    rate: float  # share of the records that a step draws
    noise: float
    delta: float
    budget: float | None
    spent: Sequence[float] = (0.0,) * len(ORDERS)

    @classmethod
    def of(cls, section: Privacy, *, records: int, per_step: int, steps: int) -> Ledger:
        """Open the ledger of a run. Raises ConfigError for a budget that no noise can keep."""
        rate, delta = min(1.0, per_step / records), section.delta or 1 / max(records, 2)
        noise = section.noise
        if noise is None:
            assert section.epsilon is not None
            try:
                noise = noise_for(section.epsilon, rate, steps, delta)
            except ValueError as error:
                raise ConfigError(f"train.privacy: {error} in {steps} steps; raise epsilon or lower steps") from None
        return cls(rate, noise, delta, section.epsilon)

    @property
    def exhausted(self) -> bool:
        """Whether one more step would cost more than the budget."""
        return self.budget is not None and epsilon(self._after(1), self.delta) > self.budget

    def pay(self) -> None:
        """Enter one step."""
        self.spent = self._after(1)

    def _after(self, steps: int) -> tuple[float, ...]:
        return tuple(s + steps * x for s, x in zip(self.spent, rdp(self.rate, self.noise), strict=True))

    def metrics(self) -> dict[str, float]:
        """Return ε so far. Without noise there is none."""
        return {"privacy/epsilon": epsilon(self.spent, self.delta)} if self.noise else {}

    def facts(self) -> dict[str, Any]:
        """Describe what holds of the weights, for run.json."""
        own = {"delta": self.delta, "noise": self.noise, "share_per_step": self.rate}
        return {**own, **({"epsilon": epsilon(self.spent, self.delta)} if self.noise else {})}

    def state(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {"noise": self.noise, "spent": list(self.spent)}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from a `state`: the noise of a budget stays what it was."""
        self.spent = tuple(saved["spent"])
        if self.budget is not None:
            self.noise = saved["noise"]
