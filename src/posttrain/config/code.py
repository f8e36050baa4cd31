"""Sections that name code: `{path, **settings}`. A path with .py is a file, any other is a name of the catalogue."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, Strict, ValidationInfo, field_validator, model_serializer, model_validator

from posttrain.config.section import Pathed
from posttrain.errors import ConfigError

_SECRET_NAME = re.compile(r"(api_?)?key|password|secret|token|authorization", re.IGNORECASE)
_SECRET = re.compile(r"^(sk-|Bearer )|^\w+://[^/]*@|[?&](api[-_]?)?(key|token)=", re.IGNORECASE)


class Code(Pathed):
    """What to run and the settings to run it with. The short form is the path."""

    path: str = Field(min_length=1)
    """a name of the catalogue, ./file.py or ./file.py:name (looked for beside the run file, then here)"""
    settings: dict[str, Any] = Field(default_factory=dict)
    """keyword settings of the code; in a run file they are written beside path"""

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, value: Any) -> Any:
        """Gather the keys that are not fields. Python code may pass `settings` as such."""
        value = cls.expand(value)
        if not isinstance(value, Mapping) or isinstance(value.get("settings"), Mapping):
            return value
        own = cls.model_fields.keys() - {"settings"}
        made = {key: value[key] for key in value if key in own}
        return {**made, "settings": {key: item for key, item in value.items() if key not in own}}

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in type(self).model_fields if name != "settings"}
        return fields | self.settings

    @field_validator("path")
    @classmethod
    def _located(cls, path: str, info: ValidationInfo) -> str:
        base = (info.context or {}).get("base")
        return path if base is None else locate(path, base)

    @field_validator("settings")
    @classmethod
    def _data(cls, settings: dict[str, Any]) -> dict[str, Any]:
        return {name: _plain(value, name) for name, value in settings.items()}


class Method(Code):
    """How the policy learns. Settings have dotted names: `clipped_surrogate.high: 0.28`, nested or not."""

    dotted: ClassVar[bool] = True

    @classmethod
    def expand(cls, value: Any) -> Any:
        value = super().expand(value)
        return _flat(value) if isinstance(value, Mapping) and "settings" not in value else value


class Procedure(Code):
    """A loop over models and data, and what it is called with."""


class Reward(Code):
    """A reward function, its weight and what it is called with. Short forms: `name` and `{name: weight}`."""

    weight: Annotated[float, Strict()] = 1.0
    """factor in the sum of the rewards; negative for a penalty"""

    @field_validator("settings")
    @classmethod
    def _without_secrets(cls, settings: dict[str, Any]) -> dict[str, Any]:
        """A run file is copied into the run, the card of its model and the logs."""
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


def locate(path: str, base: Path) -> str:
    """`./mine.py:name` as an absolute path: beside the run file, else in the current folder. Names stay as they are.

    Raises ValueError when the file is in neither.
    """
    match = re.fullmatch(r"(.+\.py)(:\w+)?", path)
    if match is None:
        return path
    file, name = match.group(1), match.group(2) or ""
    for folder in (base, Path.cwd()):
        if (folder / file).is_file():
            return str((folder / file).resolve()) + name
    folders = dict.fromkeys(str(folder.absolute()) for folder in (base, Path.cwd()))
    raise ValueError(f"there is no file {file!r} in {' or '.join(folders)}")


def _secret(settings: Any, name: str = "") -> str:
    """The name of a setting that is a secret; "" where there is none."""
    if isinstance(settings, Mapping):
        inner = (_secret(value, str(key)) for key, value in settings.items())
        return next((found for found in inner if found), "")
    if not isinstance(settings, str):
        return ""
    return name if _SECRET_NAME.fullmatch(name) or _SECRET.search(settings) else ""


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, item in value.items():
        name = f"{prefix}{key}"
        inner = _flat(item, f"{name}.") if isinstance(item, Mapping) and item else {name: item}
        if twice := sorted(inner.keys() & made.keys()):
            raise ConfigError(f"method.{twice[0]} is given twice, nested and with a dotted name")
        made |= inner
    return made


def _plain(value: Any, name: str) -> Any:
    """Settings are data: lists become tuples; NaN and objects are errors."""
    if isinstance(value, list | tuple):
        return tuple(_plain(item, name) for item in value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item, name) for key, item in value.items()}
    if isinstance(value, float) and math.isnan(value):
        raise ValueError(f"{name} is not a number (NaN)")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"{name} is {type(value).__name__}, but a setting is a number, a text, a list or a mapping")
