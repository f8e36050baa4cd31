"""The space of settings: ranges and options by name, and how settings are written and read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from posttrain.errors import ConfigError

FROM, TO = "from", "to"


@dataclass(frozen=True)
class Space:
    """What may be set: a list of options, or a range {from: 0.1, to: 1}, of whole numbers where both ends are."""

    choices: Mapping[str, Any]

    def __post_init__(self) -> None:
        for name, choice in self.choices.items():
            ranged = isinstance(choice, Mapping) and choice.keys() == {FROM, TO}
            numbers = ranged and all(isinstance(x, int | float) for x in choice.values())
            if not (numbers and choice[FROM] < choice[TO]) and not (isinstance(choice, list | tuple) and choice):
                raise ConfigError(f"space.{name}: {choice!r} is neither a list of options nor {{from: 0.1, to: 1.0}}")
        if not self.choices:
            raise ConfigError("space: there is nothing to set; give settings with options or ranges")

    def describe(self) -> str:
        """Say in words what may be set."""
        return "\n".join(f"- {name}: {self._words(choice)}" for name, choice in self.choices.items())

    def read(self, reply: str) -> dict[str, Any] | str:
        """Return the settings that a reply gives as a JSON object, or what is wrong with it."""
        begin, end = reply.find("{"), reply.rfind("}")
        try:
            given = json.loads(reply[begin : end + 1])
        except (ValueError, RecursionError):
            return "the reply holds no JSON object"
        if not isinstance(given, dict) or given.keys() != self.choices.keys():
            return f"the reply does not set {', '.join(self.choices)} and nothing else"
        for name, value in given.items():
            if not self._allows(name, value):
                return f"{name}={str(value)[:100]} is not {self._words(self.choices[name])}"
        return given

    def draw(self, seed: int) -> dict[str, Any]:
        """Draw settings: options alike, and ranges evenly, or by the logarithm where they span a factor of 100."""
        chance = Random(seed)  # noqa: S311 (no secret)
        return {name: _drawn(choice, chance) for name, choice in self.choices.items()}

    def _allows(self, name: str, value: Any) -> bool:
        choice = self.choices[name]
        if isinstance(choice, list | tuple):
            return any(value == option and type(value) is type(option) for option in choice)
        whole = _whole(choice)
        kind = int if whole else int | float
        return isinstance(value, kind) and not isinstance(value, bool) and choice[FROM] <= value <= choice[TO]

    @staticmethod
    def _words(choice: Any) -> str:
        if isinstance(choice, list | tuple):
            return "one of " + ", ".join(json.dumps(option) for option in choice)
        return f"{'a whole number' if _whole(choice) else 'a number'} from {choice[FROM]:g} to {choice[TO]:g}"


def text_of(settings: Mapping[str, Any]) -> str:
    """Write settings in one way, so that equal ones are equal texts."""
    return json.dumps(dict(sorted(settings.items())))


def _whole(choice: Mapping[str, Any]) -> bool:
    return all(isinstance(x, int) for x in choice.values())


def _drawn(choice: Any, chance: Random) -> Any:
    if isinstance(choice, list | tuple):
        return chance.choice(choice)
    low, high = choice[FROM], choice[TO]
    if _whole(choice):
        return chance.randint(low, high)
    if low > 0 and high / low >= 100:
        drawn = low * (high / low) ** chance.random()
    else:
        drawn = chance.uniform(low, high)
    return float(min(max(float(f"{drawn:.4g}"), low), high))  # rounded, which must not leave the range
