"""The base of sections that name code: `{path, **settings}`, where a path with .py is a file, any other a name."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationInfo, field_validator, model_serializer, model_validator

from posttrain.config.section import Pathed


class Code(Pathed):
    """A function or record to run, and its settings. The short form is the path."""

    path: str = Field(min_length=1)
    """Name in the catalogue, `./file.py` or `./file.py:name`; files are looked for beside the run file, then in the
    current folder."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Keyword settings of the code; in a run file they are written beside `path`."""

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, value: Any) -> Any:
        """Gather the keys that are not fields. Python code may pass `settings` as such."""
        value = cls.expand(value)
        if not isinstance(value, Mapping) or isinstance(value.get("settings"), Mapping):
            return value
        own = cls.model_fields.keys() - {"settings"}
        settings = {key: item for key, item in value.items() if key not in own}
        return {**{key: value[key] for key in value if key in own}, "settings": settings}

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
    def _plain_settings(cls, settings: dict[str, Any]) -> dict[str, Any]:
        return {name: plain(value, name) for name, value in settings.items()}


def locate(path: str, base: Path) -> str:
    """Return `./mine.py:name` as an absolute path: beside the run file, else in the current folder.

    Names of the catalogue stay as they are. Raises ValueError when the file is in neither folder.
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


def plain(value: Any, name: str) -> Any:
    """Return a setting as plain data: lists become tuples; NaN and objects raise ValueError."""
    if isinstance(value, list | tuple):
        return tuple(plain(item, name) for item in value)
    if isinstance(value, Mapping):
        return {str(key): plain(item, name) for key, item in value.items()}
    if isinstance(value, float) and math.isnan(value):
        raise ValueError(f"{name} is not a number (NaN)")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"{name} is {type(value).__name__}, but a setting is a number, a text, a list or a mapping")
