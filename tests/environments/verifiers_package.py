"""A stand-in for the package verifiers: as much of its interface as the adapter reads, in the package's own words."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Said:
    content: Any
    role: str = "user"


class Assistant(Said):
    """A turn of the model."""


@dataclass
class Data:
    prompt: Any
    answer: str = ""
    system_prompt: str | None = None


@dataclass
class Given:
    """A trace, a node, or what else holds what it is given."""

    task: Any = None
    agent: Any = None
    nodes: list[Any] = field(default_factory=list)
    state: Any = None
    rewards: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float | None] = field(default_factory=dict)

    @property
    def reward(self) -> float:
        return sum(score * weight for score, weight in self.rewards.values())

    @property
    def last_reply(self) -> str:
        return [n.message for n in self.nodes if n.sampled][-1].content


class Node:
    def __init__(self, *, parent: int | None, message: Any, sampled: bool) -> None:
        self.parent, self.message, self.sampled = parent, message, sampled


class Task:
    """A sum, with one point for the right answer and a quarter of one for a short one."""

    NEEDS_CONTAINER = False
    key = hash = "0"
    config = None

    def __init__(self, data: Data) -> None:
        self.data = data

    async def setup(self, trace: Any, runtime: Any) -> None: ...

    async def finalize(self, trace: Any, runtime: Any) -> None: ...

    @classmethod
    def toolsets(cls, config: Any) -> list[Any]:
        return []

    def plugged_judges(self) -> list[Any]:
        return []

    def hooks(self, kind: str) -> list[Any]:
        return [self.right] if kind == "reward" else []

    def right(self, task: Data, trace: Given) -> float:
        return float(trace.last_reply == task.answer)

    async def score(self, trace: Given, runtime: Any = None) -> None:
        if trace.last_reply == "crash":
            raise RuntimeError("the rubric broke")
        if trace.last_reply == "silent":
            trace.rewards["right"] = None
            return
        trace.rewards["right"] = (self.right(self.data, trace), 1.0)
        trace.rewards["short"] = (float(len(trace.last_reply) < 3), 0.25)
        trace.metrics["length"] = float(len(trace.last_reply))


class Rows:
    """A taskset of ten sums, or one without an end."""

    config = None

    def __init__(self, *, id: str, endless: bool = False, kind: type[Task] = Task, prompt: Any = "") -> None:  # noqa: A002
        self.bounded, self.kind, self.prompt = not endless, kind, prompt

    def __iter__(self) -> Any:
        place = 0
        while not self.bounded or place < 10:
            text = f"{place} + {place}?" if self.prompt == "" else self.prompt
            yield self.kind(Data(text, str(2 * place), "Add."))
            place += 1

    @classmethod
    def toolsets(cls, config: Any) -> list[Any]:
        return []


def install(monkeypatch: Any, **kinds: type[Task]) -> None:
    """Put the package in the place of the real one. `sums` is a taskset, `kinds` are others."""
    names = ("verifiers", "verifiers.v1", "verifiers.v1.task", "verifiers.v1.types", "verifiers.v1.utils")
    modules = {name: ModuleType(name) for name in (*names, "verifiers.v1.utils.loaders", "verifiers.v1.utils.generic")}
    v1, types = modules["verifiers.v1"], modules["verifiers.v1.types"]
    v1.Trace = Given
    v1.MessageNode, v1.State, v1.AgentConfig = Node, dict, dict
    v1.AgentInfo = v1.TraceTask = lambda **given: given
    types.AssistantMessage, types.SystemMessage, types.UserMessage = Assistant, Said, Said
    modules["verifiers.v1.task"].Task = Task
    modules["verifiers.v1.utils.generic"].concrete_type = lambda *_: None
    loaders = modules["verifiers.v1.utils"].loaders = modules["verifiers.v1.utils.loaders"]
    known = {"sums": Task, **kinds}

    def config_type(name: str) -> Any:
        if name not in known:
            raise ModuleNotFoundError(f"taskset {name!r} not found")
        return lambda **settings: {"kind": known[name], **settings}

    loaders.taskset_config_type = config_type
    loaders.load_taskset = lambda config: Rows(**config)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
