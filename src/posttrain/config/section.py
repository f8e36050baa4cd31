"""The base of every mapping in a run file."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Section(BaseModel):
    """A mapping of the run file. `expand` turns its short forms into the long one."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    dotted: ClassVar[bool] = False  # whether `a: {b: 1}` inside is one key with the name a.b
    noun: ClassVar[str] = "mapping"  # what an entry of a list or mapping of such sections is called

    @classmethod
    def expand(cls, value: Any) -> Any:
        """Return the long form of a value: short forms become mappings, everything else stays as it is."""
        return value

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, value: Any) -> Any:
        return cls.expand(value)


class Pathed(Section):
    """A section that may be written as its path alone."""

    path: str = Field(min_length=1)

    @classmethod
    def expand(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value
