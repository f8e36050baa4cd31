"""The protection of a private stage: its ledger, and the mechanism that the learner applies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from posttrain.backends.protocol import Mechanism, PrivateLearner
from posttrain.core.method import Method
from posttrain.core.plan import Plan
from posttrain.errors import ConfigError
from posttrain.training.privacy import Ledger
from posttrain.training.private_records import check_method, tied
from posttrain.training.private_trainer import PrivateTrainer
from posttrain.training.run import Run
from posttrain.training.trainer import Rates

if TYPE_CHECKING:
    from posttrain.config.schema import Train
    from posttrain.config.sections.privacy import Privacy


@dataclass
class Protection:
    """What keeps the records of a stage from showing in its weights."""

    run: Run
    section: Privacy
    per_step: int
    ledger: Ledger

    @classmethod
    def of(cls, run: Run, method: Method, train: Train, *, records: int, steps: int) -> Protection | None:
        """Open the ledger of a stage; None where it is not private. Raises ConfigError for what cannot be private."""
        section, per_step = train.privacy, train.prompts_per_step
        if section is None:
            return None
        check_method(method)
        if run.journal.verb > 0:
            raise ConfigError("train.privacy: one stage is accounted for; train each stage in a run of its own")
        ledger = Ledger.of(section, records=records, per_step=per_step, steps=steps)
        return cls(run, section, per_step, ledger)

    def trainer(self, planned: Plan, rates: Rates) -> PrivateTrainer:
        """Make the trainer of the stage, and let the learner clip and add noise from now on."""
        self._protect()
        return PrivateTrainer(tied(planned), self.run.learner, rates=rates, seed=self.run.file.seed)

    def paid(self) -> dict[str, float]:
        """Enter a step into the ledger; return what has been spent."""
        self.ledger.pay()
        return self.ledger.metrics()

    @property
    def ended(self) -> str | None:
        """Say that the budget is spent; None while it is not."""
        return f"the budget train.privacy.epsilon={self.ledger.budget:g} is spent" if self.ledger.exhausted else None

    def state(self) -> dict[str, Any]:
        """Return the ledger as plain data."""
        return self.ledger.state()

    def restore(self, saved: Mapping[str, Any] | None) -> None:
        """Continue from a `state`. Raises ConfigError for a checkpoint whose steps were not private."""
        if saved is None:
            raise ConfigError("train.privacy: the steps of the checkpoint were not private; start a new run")
        self.ledger.restore(saved)
        self._protect()

    def _protect(self) -> None:
        mechanism = Mechanism(self.section.clip, self.ledger.noise, self.per_step)
        cast(PrivateLearner, self.run.learner).protect(mechanism)
