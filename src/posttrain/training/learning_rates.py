"""The learning rates of a stage: those of the run file, else the method's for all weights or for adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from posttrain.core.method import Method
from posttrain.errors import ConfigError

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile

Peaks = float | Mapping[str, float]


def peaks(given: Peaks | None, file: RunFile, method: Method, roles: Sequence[str]) -> Peaks:
    """Return the peak learning rate of every trained role. Raises ConfigError if a mapping lacks one."""
    if given is None:
        return {role: rate_of(file, method, role) for role in roles}
    if isinstance(given, Mapping) and (lacking := sorted(set(roles) - set(given))):
        raise ConfigError(f"train.learning_rate names no rate for {', '.join(lacking)}, which {method.name} trains")
    return given


def rate_of(file: RunFile, method: Method, role: str) -> float:
    """Return the method's learning rate of a role: for all weights, or for adapters if the role has them."""
    rate = method.rate(role)
    return rate.lora if _has_adapters(file, role) else rate.weights


def told(peaks: Peaks, *, given: bool) -> str:
    """Return the rates as a line for the display, and where they are from."""
    each = {"": peaks} if isinstance(peaks, int | float) else peaks
    rates = ", ".join(f"{role} {rate:g}".strip() for role, rate in each.items())
    return f"rate   {rates}" if given else f"rate   {rates}, the method's; train.learning_rate sets another"


def _has_adapters(file: RunFile, role: str) -> bool:
    """Whether the model of a role has adapters. A role without an entry may be a copy of any model in the run file."""
    if role == "policy":
        return file.model.adapters
    entries = [file.models[role]] if role in file.models else list(file.models.values())
    own = [file.model if entry.shared else entry for entry in entries if entry.endpoint is None]
    copied = [] if role in file.models else [file.model]
    return all(model.adapters for model in (*own, *copied))
