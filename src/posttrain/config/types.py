"""The types of values in a run file, each strict: `5.0` is no whole number and `true` no number.

A number may be quoted, as in '1e-6': YAML 1.1 reads 1e-6 as a text, so run files of other trainers quote it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, Strict

_WHOLE = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Label:
    """What a text stands for, in the reference of keys: `mapping role -> model`."""

    text: str


def number(value: Any) -> Any:
    """Return a quoted number as the number; everything else as it is."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else value


_Int = Annotated[int, Strict(), BeforeValidator(number)]
_Float = Annotated[float, Strict(), BeforeValidator(number)]

Flag = Annotated[bool, Strict()]
Count = Annotated[_Int, Field(gt=0)]
Whole = Annotated[_Int, Field(ge=0)]
Number = _Float
Positive = Annotated[_Float, Field(gt=0)]
NotNegative = Annotated[_Float, Field(ge=0)]
Fraction = Annotated[_Float, Field(ge=0, lt=1)]
Share = Annotated[_Float, Field(ge=0, le=1)]
PositiveShare = Annotated[_Float, Field(gt=0, le=1)]

Gate = Annotated[str, Field(pattern=r"^\s*(>=|<=|>|<)\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"), Label(">= NUMBER")]
Role = Annotated[str, Label("role")]
StreamName = Annotated[str, Label("stream")]
ColumnName = Annotated[str, Label("our column")]
FileColumn = Annotated[str, Label("column of the file")]
FileColumns = FileColumn | tuple[Annotated[str, Label("column")], ...]
