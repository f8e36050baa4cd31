"""An entry of `rewards`: a reward function and its weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from posttrain.config.code import Code
from posttrain.config.secrets import without_secrets
from posttrain.config.types import Number


class TransformRef(Code):
    """A transform of scores and its settings."""

    noun: ClassVar[str] = "transform"


class CombineRef(Code):
    """A way to combine rewards and its settings."""

    noun: ClassVar[str] = "combination"


class RewardRef(Code):
    """A reward function, its weight and its settings. Short forms: `name` and `{name: weight}`."""

    noun: ClassVar[str] = "reward"

    weight: Number = 1.0
    """Factor of this reward in the weighted sum; negative for a penalty."""
    signature: Literal["texts", "trl", "verl"] | None = None
    """Form of the function: texts (lists of texts), trl (conversations as messages) or verl (one answer a call); null
    tells it from the names of the parameters."""
    read_after: str | None = Field(default=None, min_length=1)
    """Mark behind which it begins to read an answer, such as `</think>`: the thought is not read, and an answer without
    the mark is read as an empty one; null reads from the beginning."""
    read_before: str | None = Field(default=None, min_length=1)
    """Mark at which it stops to read an answer, such as `</think>` to read the thought alone; null, and an answer
    without the mark, is read to the end."""

    transform: tuple[TransformRef, ...] = ()
    """What its scores pass through, in this order, before they are trained on: clip, scale, sigmoid, contrastive,
    `./mine.py:function`, ...; evaluations show the scores as they are."""

    _without_secrets = field_validator("settings")(without_secrets)

    @classmethod
    def expand(cls, value: Any) -> Any:
        value = super().expand(value)
        if isinstance(value, Mapping) and len(value) == 1 and "path" not in value:
            ((path, weight),) = value.items()
            return {"path": path, "weight": weight}
        return one_or_more(value, "transform")


def one_or_more(value: Any, key: str) -> Any:
    """Return a mapping in which one entry under a key has become a list of one."""
    if isinstance(value, Mapping) and isinstance(value.get(key), str | Mapping):
        return {**value, key: [value[key]]}
    return value
