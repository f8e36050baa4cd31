"""An entry of `rewards`: a reward function and its weight."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Strict, field_validator

from posttrain.config.code import Code

_SECRET_NAME = re.compile(r"(api_?)?key|password|secret|token|authorization", re.IGNORECASE)
_SECRET = re.compile(r"^(sk-|Bearer )|^\w+://[^/]*@|[?&](api[-_]?)?(key|token)=", re.IGNORECASE)


class RewardRef(Code):
    """A reward function, its weight and its settings. Short forms: `name` and `{name: weight}`."""

    noun: ClassVar[str] = "reward"

    weight: Annotated[float, Strict()] = 1.0
    """Factor of this reward in the weighted sum; negative for a penalty."""

    @field_validator("settings")
    @classmethod
    def _without_secrets(cls, settings: dict[str, Any]) -> dict[str, Any]:
        """Refuse secrets: a run file is copied into the run, the model card and the logs."""
        if name := _secret(settings):
            raise ValueError(f"{name} holds a key or a password; put it into an environment variable ($OPENAI_API_KEY)")
        return settings

    @classmethod
    def expand(cls, value: Any) -> Any:
        value = super().expand(value)
        if isinstance(value, Mapping) and len(value) == 1 and "path" not in value:
            ((path, weight),) = value.items()
            return {"path": path, "weight": weight}
        return value


def _secret(settings: Any, name: str = "") -> str:
    """Return the name of the first setting that is a secret, "" if there is none."""
    if isinstance(settings, Mapping):
        inner = (_secret(value, str(key)) for key, value in settings.items())
        return next((secret for secret in inner if secret), "")
    if not isinstance(settings, str):
        return ""
    return name if _SECRET_NAME.fullmatch(name) or _SECRET.search(settings) else ""
