"""An entry of `rewards`: a reward function and its weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import field_validator

from posttrain.config.code import Code
from posttrain.config.secrets import without_secrets
from posttrain.config.types import Number


class RewardRef(Code):
    """A reward function, its weight and its settings. Short forms: `name` and `{name: weight}`."""

    noun: ClassVar[str] = "reward"

    weight: Number = 1.0
    """Factor of this reward in the weighted sum; negative for a penalty."""
    signature: Literal["texts", "trl", "verl"] | None = None
    """Form of the function: texts (lists of texts), trl (conversations as messages) or verl (one answer a call); null
    tells it from the names of the parameters."""

    _without_secrets = field_validator("settings")(without_secrets)

    @classmethod
    def expand(cls, value: Any) -> Any:
        value = super().expand(value)
        if isinstance(value, Mapping) and len(value) == 1 and "path" not in value:
            ((path, weight),) = value.items()
            return {"path": path, "weight": weight}
        return value
