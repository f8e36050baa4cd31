"""The settings of another trainer's run: what its user wrote, and the defaults of that trainer for the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.errors import ConfigError


class Settings:
    """Values by key. `gpus` is the number of processes that the trainer ran on, which no configuration holds."""

    def __init__(
        self,
        given: Mapping[str, Any],
        *,
        peer: str = "",
        defaults: Mapping[str, Any] | None = None,
        trainer: str | None = None,
        gpus: int = 1,
        names: Mapping[str, str] | None = None,
    ) -> None:
        self.given = dict(given)
        self.peer = peer
        self.defaults = dict(defaults or {})
        self.trainer = trainer
        self.gpus = gpus
        self.names = dict(names or {})

    def with_defaults(self, defaults: Mapping[str, Any]) -> Settings:
        """Return the same settings with the defaults of one trainer class."""
        return Settings(self.given, peer=self.peer, defaults=defaults, trainer=self.trainer, gpus=self.gpus)

    def renamed(self, names: Mapping[str, Sequence[str]], defaults: Mapping[str, Any]) -> Settings:
        """Return the settings under other names: {new name: names that may stand for it}; the first given counts."""
        given, written = {}, {}
        for new, old in names.items():
            name = next((n for n in old if self.given.get(n) is not None), None)
            if name is not None:
                given[new], written[new] = self.given[name], name
        return Settings(given, peer=self.peer, defaults=defaults, trainer=self.trainer, gpus=self.gpus, names=written)

    def __contains__(self, key: str) -> bool:
        return key in self.given

    def __call__(self, key: str) -> Any:
        """Return the value that the trainer would use: the given one, else its default, else None."""
        value = self.given.get(key)
        return self.defaults.get(key) if value is None else value

    def number(self, key: str) -> float:
        """Return a value as a number. Raises ConfigError if it is none."""
        value = self(key)
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ConfigError(f"{key} is {value!r}; expected a number") from None
        if not math.isfinite(number):
            raise ConfigError(f"{key} is {value!r}; expected a finite number")
        return number

    def whole(self, key: str) -> int:
        """Return a value as a whole number. Raises ConfigError if it is none."""
        number = self.number(key)
        if number != int(number):
            raise ConfigError(f"{key} is {self(key)!r}; expected a whole number")
        return int(number)

    def origin(self, *keys: str) -> str:
        """Return where values come from, as a comment: `beta`, or `TRL's default of beta`."""
        given = [self.names.get(k, k) for k in keys if k in self.given]
        default = [k for k in keys if k not in self.given]
        parts = [" x ".join(given)] if given else []
        if default:
            parts.append(f"{self.peer}'s default of {' x '.join(default)}")
        return ", ".join(parts)
