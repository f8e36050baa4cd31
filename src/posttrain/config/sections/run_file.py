"""The run file as a whole: its sections, and what must hold between them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, ValidationInfo, field_serializer, field_validator, model_validator
from pydantic_core import PydanticCustomError

from posttrain.config.section import Section
from posttrain.config.sections.backend import Backend
from posttrain.config.sections.data import MAIN, TASKS, Data
from posttrain.config.sections.environment import EnvironmentRef
from posttrain.config.sections.evaluate import Evaluate
from posttrain.config.sections.method import MethodRef
from posttrain.config.sections.model import NO_POLICY, POLICY, Model, RoleModel
from posttrain.config.sections.procedure import ProcedureRef
from posttrain.config.sections.report import Report, listed
from posttrain.config.sections.rewards import RewardRef
from posttrain.config.sections.sampler import NATIVE, SamplerRef
from posttrain.config.sections.sampling import SamplingSection
from posttrain.config.sections.scoring import Scoring
from posttrain.config.sections.train import Train
from posttrain.config.types import Gate, Role, StreamName, Whole


class RunFile(Section):
    """A run: which model learns, with which method, from which data.

    Validated with `complete` in the context, a run file must name its data and either a method or a procedure. Without
    it, a model alone is enough to open a session.
    """

    model: Model
    """The policy, the model that is trained; a procedure that trains none needs none."""
    models: dict[Role, RoleModel] = Field(default_factory=dict)
    """Models in other roles (reference, reward, cost, critic, cost_critic, or a name of yours), in this process or
    behind an endpoint; a role that is not named starts as a copy of another."""
    method: MethodRef | None = None
    """How the policy learns: a name that `posttrain methods` lists, or ./file.py; its settings are further keys, which
    `posttrain explain` lists."""
    procedure: ProcedureRef | None = None
    """A loop over models and data, instead of a method; its settings are further keys."""
    environment: EnvironmentRef | None = None
    """What answers the policy, so that each prompt begins an episode of several turns: a name that ships, or ./file.py
    with a class; its settings are further keys; null is one answer to each prompt."""
    data: dict[StreamName, Data] = Field(default_factory=dict, validate_default=True)
    """Records to learn from: one source, or one for each stream of the method; a run needs at least one, unless its
    environment makes tasks or its procedure reads none."""
    rewards: tuple[RewardRef, ...] = ()
    """Reward functions; the reward of an answer is their weighted sum, unless `scoring.combine` says otherwise."""
    scoring: Scoring = Field(default_factory=Scoring)
    """How reward functions are run and combined."""
    sampling: SamplingSection = Field(default_factory=SamplingSection)
    """How the policy answers prompts during training."""
    sampler: SamplerRef = Field(default_factory=SamplerRef)
    """The engine that draws the policy's answers: native, or vllm in a process of its own."""
    train: Train = Field(default_factory=Train)
    """Length of the training, learning rate, batch sizes, checkpoints and logs."""
    evaluate: Evaluate | None = None
    """Held-out prompts, answered and scored during the run; null evaluates nothing."""
    gates: dict[str, Gate] = Field(default_factory=dict)
    """What the evaluation after the training must show, such as `diversity.entropy: "> 0.5"` or `reward: "> 0"`; a
    run that fails one saves its model, says so in its card and exits with the code 11."""
    report: tuple[Report, ...] = ()
    """Trackers that get the metrics, settings and sampled answers of the run, besides its folder."""
    seed: Whole = 0
    """Seed from which every random choice of the run derives."""
    name: str | None = Field(default=None, min_length=1, max_length=200, pattern=r"^[^/\\\x00-\x1f]+$")
    """Name of the run's folder under `output`; null derives one from the method, the model and a number."""
    output: Path = Path("runs")
    """Folder that holds the runs."""
    backend: Backend = Field(default_factory=Backend)
    """Processes that hold the weights and change them: local is this one, fsdp are several."""
    device: str = "auto"
    """Device of all models: auto, cpu, cuda, cuda:N or mps; auto takes a CUDA GPU if one is visible, else the CPU."""

    _base: Path = Path()
    _given: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def base(self) -> Path:
        """The folder of the run file."""
        return self._base

    @property
    def given(self) -> Mapping[str, Any]:
        """Objects that were given in Python, by the names that stand for them here."""
        return self._given

    @property
    def off_policy(self) -> bool:
        """Whether other weights, or other arithmetic, may have drawn the answers that a step trains on."""
        older = bool(self.train.async_steps or self.sampling.over_steps)
        return older or self.sampler.path != NATIVE

    def holding(self, objects: Mapping[str, Any]) -> RunFile:
        """The same run, with the objects that its names stand for."""
        run = self.model_copy()
        run._given = dict(objects)
        return run

    def model_post_init(self, context: Any) -> None:
        self._base = Path((context or {}).get("base", "."))

    @classmethod
    def expand(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        long = dict(value)
        if long.get("procedure"):
            long.setdefault("model", NO_POLICY)  # some train none; the others say so when they need it
        data = long.get("data")
        if isinstance(data, str | list | tuple) or (
            isinstance(data, Mapping) and data.keys() & Data.model_fields.keys()
        ):
            long["data"] = {MAIN: data}
        if long.get("environment") and not data and long.get("method"):
            long["data"] = {MAIN: TASKS}
        if isinstance(long.get("rewards"), str):
            long["rewards"] = [long["rewards"]]
        if "report" in long:
            long["report"] = listed(long["report"])
        return long

    @field_validator("device")
    @classmethod
    def _known_device(cls, device: str) -> str:
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", device):
            raise ValueError(f"{device!r} is no device; choose auto, cpu, cuda, cuda:N (such as cuda:0) or mps")
        return device

    @field_serializer("data")
    def _data_as_written(self, data: dict[str, Data]) -> Any:
        return data[MAIN] if data.keys() == {MAIN} else data

    @field_validator("data")
    @classmethod
    def _some_data(cls, data: dict[str, Data], info: ValidationInfo) -> dict[str, Data]:
        if _complete(info) and not data and not info.data.get("procedure"):
            raise PydanticCustomError("missing", "there is no data")
        return data

    @model_validator(mode="after")
    def _consistent(self, info: ValidationInfo) -> RunFile:
        if self.method and self.procedure:
            raise ValueError(
                f"method={self.method.path!r} and procedure={self.procedure.path!r} both say how to learn; keep one"
            )
        if _complete(info) and self.gates and self.evaluate is None:
            raise ValueError("gates are of the evaluation after the training, and there is none; add evaluate: {...}")
        if _complete(info) and not self.method and not self.procedure:
            raise ValueError("method is missing: a name that `posttrain methods` lists, or ./file.py")
        if self.model.absent and (self.method or self.evaluate or self.environment):
            raise ValueError("model is missing: a hub id, a folder or a bundled name (smollm2, tiny)")
        if scripted := [role for role, entry in self.models.items() if entry.scripted and not self.procedure]:
            raise ValueError(f"models.{scripted[0]}.scripted: only a procedure asks a speaker; name a model")
        if self.sampling.max_age is not None and self.sampling.max_age < self.train.async_steps:
            raise ValueError(
                f"sampling.max_age={self.sampling.max_age} leaves out what train.async_steps={self.train.async_steps} "
                "draws; raise max_age, or lower async_steps"
            )
        if self.model.shared:
            raise ValueError("model is the policy itself: write its hub id, folder or bundled name")
        if POLICY in self.models:
            raise ValueError("models.policy cannot be set: the policy is `model`")
        return self


def _complete(info: ValidationInfo) -> bool:
    """Whether the run file is loaded to be run, not only for its model."""
    return bool((info.context or {}).get("complete"))
