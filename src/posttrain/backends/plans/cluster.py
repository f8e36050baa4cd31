"""A cluster as the cost model sees it: devices in hosts, and how fast each thing is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from posttrain.errors import ConfigError, suggestion

UNITS = {"flops": "TFLOP/s", "memory": "GB", "bandwidth": "GB/s", "inside": "GB/s", "between": "GB/s"}
LARGEST = 1e6  # what is above it was meant in operations or bytes


@dataclass(frozen=True)
class Cluster:
    """Devices are numbered through the hosts. All devices are alike.

    `flops`: operations a second that a device reaches in matrix products, in TFLOP/s, as measured and not as printed.
    `memory`: of a device, in GB. `bandwidth`: of that memory, in GB/s. `inside` and `between`: what a device sends to
    another one of its host and of another host, in GB/s.
    """

    hosts: int = 1
    devices: int = 8
    flops: float = 400.0
    memory: float = 80.0
    bandwidth: float = 3000.0
    inside: float = 400.0
    between: float = 40.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ConfigError(f"cluster: {field.name} must be above 0, not {value}")
            if field.name in UNITS and value > LARGEST:
                raise ConfigError(f"cluster: {field.name} is in {UNITS[field.name]}, and {value:.3g} is too many")

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Cluster:
        """Read it from a mapping. Raises ConfigError for an unknown key or a value that is no number."""
        known = {field.name: field.type for field in fields(cls)}
        for name, value in content.items():
            if name not in known:
                raise ConfigError(f"cluster: no key {name!r}{suggestion(name, known)}; keys: {', '.join(known)}")
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ConfigError(f"cluster: {name} is {value!r}; expected a number")
        return cls(**content)

    @property
    def size(self) -> int:
        """All devices."""
        return self.hosts * self.devices

    def link(self, first: int, count: int) -> float:
        """GB/s between neighbours in a row of devices: the slowest link counts."""
        same = first // self.devices == (first + count - 1) // self.devices
        return self.inside if same else self.between
