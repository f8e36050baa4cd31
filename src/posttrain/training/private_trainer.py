"""The training loop where no record may touch what another one teaches."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from posttrain.core.rows import Rows
from posttrain.core.vocabulary import LINKS, When
from posttrain.errors import ConfigError
from posttrain.training.trainer import Batches, Now, Trainer


class PrivateTrainer(Trainer):
    """A trainer that computes every derived tensor also for each record alone, and stops if that is something else."""

    def derive(self, when: When, batches: Batches) -> tuple[Batches, Now]:
        """Derive as the Trainer does. Raises ConfigError for a tensor of a record that depends on other records."""
        derived, now = super().derive(when, batches)
        for name, stream in self.plan.derived.get(when, ()):
            whole = derived[stream].add(now[stream], self.axes)
            for unit in whole.units([link for link in LINKS if link in whole]):
                alone = whole.select(unit)
                with torch.no_grad():
                    again = self.method.derived[name].part(alone)
                if not _equal(again, alone[name]):
                    raise self._mixed(name)
        return derived, now

    def _mixed(self, name: str) -> ConfigError:
        part = self.method.derived[name].part
        return ConfigError(
            f"train.privacy: {name} of {self.method.name} ({part.summary.rstrip('.')}) depends on the other records of "
            "the batch, so clipping the gradient of one record does not bound what it changes; use online/dpppo, "
            "online/rloo or preference/dpo, where none does, or a method of your own without it: "
            f"variant(METHOD, derived=without(METHOD.derived, {name!r}) | ...)"
        )

    def rest(self) -> None:
        """Take a step of noise alone, where no record was drawn or none can be trained on, and count its batch."""
        self.learner.step(self.rates(self.batch_number))
        self.skip()


def _equal(one: Any, two: Any) -> bool:
    if isinstance(one, Rows) or not isinstance(one, Tensor):
        return True
    close: bool = one.shape == two.shape and torch.allclose(one, two, rtol=1e-4, atol=1e-5, equal_nan=True)
    return close
