"""`sampler`: what draws the policy's answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import ValidationInfo, field_validator, model_validator

from posttrain.config.code import Code
from posttrain.config.types import Positive

NATIVE = "native"


class SamplerRef(Code):
    """The engine that draws answers, and where it runs. The short form is its name."""

    noun: ClassVar[str] = "sampler"

    path: Literal["native", "vllm"] = "native"
    """Engine of the policy's answers: native runs the trainer's own modules, vllm is vLLM in a process of its own;
    further keys (gpu_memory_utilization, enforce_eager, ...) are arguments of vllm.LLM."""
    python: str | None = None
    """Python that has vLLM, such as ./vllm/bin/python of a venv of its own; null is the one that posttrain runs in."""
    patience: Positive = 600.0
    """Seconds without a token after which the engine is said to hang and another process takes over; more than the
    longest step of a full batch."""
    starting: Positive = 900.0
    """Seconds that the engine may take to load and compile the model."""
    max_gap: Positive | None = None
    """Largest mean difference between the log-probs of the sampler and those of the trainer, in nats a token, beyond
    which the run stops; 0.01 to 0.05 is usual in bf16, 0.5 finds weights that do not arrive, and null is no limit."""

    @field_validator("python")
    @classmethod
    def _found(cls, python: str | None, info: ValidationInfo) -> str | None:
        """Find a relative path beside the run file, then in the current folder. A link stays one: venvs need it."""
        base = (info.context or {}).get("base")
        if python is None or base is None or "/" not in python:
            return python
        for folder in (Path(base), Path.cwd()):
            if (folder / python).is_file():
                return str((folder / python).absolute())
        raise ValueError(f"there is no file {python!r} in {Path(base).absolute()} or {Path.cwd()}")

    @model_validator(mode="after")
    def _of_another_engine(self) -> SamplerRef:
        given: Mapping[str, Any] = {**self.settings, **({} if self.python is None else {"python": self.python})}
        if self.path == NATIVE and given:
            raise ValueError(f"{next(iter(given))} is a setting of another engine; add path: vllm, or remove it")
        return self
