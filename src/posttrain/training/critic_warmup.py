"""Warm-up of critics: at the start of a stage the policy waits until its critics know something about its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from posttrain.core.method import Method
from posttrain.core.plan import Plan
from posttrain.errors import ConfigError
from posttrain.training.schedule import POLICY

if TYPE_CHECKING:
    from posttrain.config.schema import Train
    from posttrain.training.run import Run


def waiting_steps(run: Run, method: Method, planned: Plan, train: Train, total: int) -> int:
    """Return how many steps the policy waits in a stage of `total` steps.

    Raises ConfigError where nothing would learn: the method has no critic, the critic is a head of the policy itself,
    or the policy would wait to the end. A stage of a procedure without a critic does not wait, and says so.
    """
    wait, critics = train.critic_warmup, [role for role in planned.trained if role != POLICY]
    if not wait:
        return 0
    where = f"train.critic_warmup={wait}"
    if not critics and run.file.procedure is not None:
        run.warn(
            "train.critic_warmup", f"{method.name} has no critic that could learn first, so its policy waits for none"
        )
        return 0
    if not critics or POLICY not in planned.trained:
        raise ConfigError(f"{where}: {method.name} trains {', '.join(planned.trained)} alone; set it to 0")
    for critic in critics:
        if (entry := run.file.models.get(critic)) is not None and entry.shared:
            raise ConfigError(
                f"{where}: the {critic} is a head of the policy (models.{critic}: policy), so it cannot learn while "
                f"the policy waits; remove models.{critic}, or set it to 0"
            )
    if wait >= total:
        raise ConfigError(f"{where}: there are {total} steps, so the policy would never learn; lower it")
    return wait
