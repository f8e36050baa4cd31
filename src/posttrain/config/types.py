"""The types of values in a run file, each strict: `5.0` is no whole number and `true` no number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, Strict


@dataclass(frozen=True)
class Label:
    """What a text stands for, in the reference of keys: `mapping role -> model`."""

    text: str


Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(gt=0)]
Whole = Annotated[int, Strict(), Field(ge=0)]
Positive = Annotated[float, Strict(), Field(gt=0)]
NotNegative = Annotated[float, Strict(), Field(ge=0)]
Fraction = Annotated[float, Strict(), Field(ge=0, lt=1)]
Share = Annotated[float, Strict(), Field(ge=0, le=1)]
PositiveShare = Annotated[float, Strict(), Field(gt=0, le=1)]

Role = Annotated[str, Label("role")]
StreamName = Annotated[str, Label("stream")]
ColumnName = Annotated[str, Label("our column")]
FileColumn = Annotated[str, Label("column of the file")]
