"""Settings of an endpoint: server, model, deadlines, attempts, prices and budget."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from posttrain.errors import ConfigError, suggestion
from posttrain.seeds import seed_for

OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True)
class Prices:
    """Prices of a million tokens, in the currency of the budget."""

    input: float = 0.0
    output: float = 0.0


@dataclass(frozen=True)
class Budget:
    """Limits on total spending, across restarts. Requests under way when one is reached are finished."""

    requests: int | None = None
    tokens: int | None = None  # read and written
    money: float | None = None

    @property
    def needs_usage(self) -> bool:
        """Whether the server must report token counts."""
        return self.tokens is not None or self.money is not None


@dataclass(frozen=True)
class Endpoint:
    """Settings of a client. Times are in seconds; `total` covers one request with all its attempts and pauses."""

    model: str
    url: str = ""  # without /chat/completions; default $OPENAI_BASE_URL, else OpenAI
    key_variable: str = "OPENAI_API_KEY"  # the environment variable that holds the key
    served_as: str = ""  # the model name in replies, if it is neither `model` nor a dated version of it
    concurrency: int = 8  # requests at once, per process
    connect: float = 10.0
    read: float = 60.0
    total: float = 180.0
    attempts: int = 5
    pause: float = 1.0  # before the second attempt; it doubles, with jitter
    longest_pause: float = 60.0  # whatever Retry-After says
    request: Mapping[str, Any] = field(default_factory=dict)  # max_tokens, temperature, ... as the server calls them
    prices: Prices = Prices()
    budget: Budget = Budget()

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read the settings of a run file. Raises ConfigError, whose message never repeats a password in an address."""
        fields = dict(_checked_names(cls, settings, "endpoint"))
        if "model" not in fields:
            raise ConfigError("endpoint.model is missing: the name under which the server knows the model")
        for name, part in (("prices", Prices), ("budget", Budget)):
            fields[name] = part(**_checked_names(part, fields.get(name) or {}, f"endpoint.{name}"))
        fields["url"] = (fields.get("url") or os.environ.get("OPENAI_BASE_URL") or OPENAI).rstrip("/")
        endpoint = cls(**fields)
        endpoint._check()
        return endpoint

    @property
    def name(self) -> str:
        """Name for files, derived from server and model."""
        return f"{seed_for(self.url, self.model):014x}"

    def _check(self) -> None:
        parts = urlsplit(self.url)
        if parts.username or parts.password or parts.query:
            raise ConfigError(
                f"endpoint.url holds a user, a password or a query; put the key into ${self.key_variable} instead"
            )
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(
                f"endpoint.url is {self.url!r:.200}, but must begin with http:// or https:// and name a host"
            )
        for name in ("concurrency", "attempts", "connect", "read", "total", "pause", "longest_pause"):
            _check_positive(f"endpoint.{name}", getattr(self, name), whole=name in ("concurrency", "attempts"))
        for name, limit in dataclasses.asdict(self.budget).items():
            if limit is not None:
                _check_positive(f"endpoint.budget.{name}", limit, whole=name != "money")
        if self.budget.money is not None and not (self.prices.input or self.prices.output):
            raise ConfigError(
                "endpoint.budget.money needs endpoint.prices: {input: ..., output: ...} of a million tokens"
            )


def _checked_names(cls: type[Any], settings: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    if not isinstance(settings, Mapping):
        raise ConfigError(f"{where} is a mapping (key: value), not {type(settings).__name__}")
    names = [f.name for f in dataclasses.fields(cls)]
    if unknown := [key for key in settings if key not in names]:
        close = suggestion(unknown[0], names)
        raise ConfigError(f"{where}.{unknown[0]} is unknown{close}; there are {', '.join(names)}")
    return settings


def _check_positive(name: str, value: Any, *, whole: bool) -> None:
    number = isinstance(value, int) if whole else isinstance(value, int | float)
    if isinstance(value, bool) or not number or not math.isfinite(value) or value <= 0:
        raise ConfigError(f"{name} is {value!r:.80}, but must be a {'whole ' if whole else ''}number above 0")
