"""The section `train` of one stage: that of the run file, with the options that a procedure or a user gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posttrain.config.load import check
from posttrain.config.sections.train import Train
from posttrain.errors import ConfigError

OF_THE_RUN = ("betas", "weight_decay", "max_grad_norm", "tokens_per_device", "privacy")  # what the learner is made with


def section_of_stage(section: Train, options: Mapping[str, Any]) -> Train:
    """Return the section with other values, checked as it was; `steps` takes the place of `epochs`, and back.

    Raises ConfigError for an option that all stages of a run share.
    """
    values = section.model_dump() | dict(options)
    if "steps" in options:
        values["epochs"] = options.get("epochs")
    if "epochs" in options:
        values["steps"] = options.get("steps")
    changed = check(type(section), values, "train")
    for name in OF_THE_RUN:
        if getattr(changed, name) != getattr(section, name):
            raise ConfigError(
                f"train.{name} is the same for all stages of a run, so one stage cannot have another; set it under "
                "`train` in the run file"
            )
    return changed
