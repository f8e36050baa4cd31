"""A key that no message, log or file ever shows."""

from __future__ import annotations

import os
import re

from posttrain.errors import ConfigError

_SHORTEST = 4  # characters; a shorter key would match parts of ordinary words


class Secret:
    """The value of an environment variable; "" when it is not set."""

    def __init__(self, variable: str) -> None:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
            raise ConfigError("endpoint.key_variable is the name of an environment variable, never the key itself")
        self.variable = variable
        self._value = os.environ.get(variable, "").strip()
        if not (self._value.isascii() and self._value.isprintable()):
            raise ConfigError(f"${variable} holds characters that no header can carry; set it to the key alone")

    def header(self) -> dict[str, str]:
        """Return the Authorization header, or nothing without a key."""
        return {"Authorization": f"Bearer {self._value}"} if self._value else {}

    def redact(self, text: str) -> str:
        """Remove the key from a text: servers like to repeat it in their messages."""
        return text.replace(self._value, "***") if len(self._value) >= _SHORTEST else text

    def __repr__(self) -> str:
        return f"Secret(${self.variable})"
