"""An entry of `report`: a tracker that gets what a run writes to its folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from posttrain.config.section import Section
from posttrain.config.types import Flag

NOTHING = "none"  # how other trainers write an empty list


class Report(Section):
    """A tracker. The short form is its name."""

    noun: ClassVar[str] = "tracker"

    name: Literal["tensorboard", "trackio", "wandb", "mlflow"]
    """Tracker, which needs the extra of the same name."""
    project: str = Field(default="posttrain", min_length=1)
    """Project (MLflow: experiment) that the run belongs to; TensorBoard has none."""
    online: Flag = False
    """Whether W&B uploads during the run; otherwise it writes into the folder of the run, for `wandb sync`."""

    @classmethod
    def expand(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


def listed(value: Any) -> Any:
    """Return the long form of `report`: one tracker or `none` as a list."""
    if value in (NOTHING, [NOTHING]):
        return []
    return [value] if isinstance(value, str | Mapping) else value
