"""Tasksets of the package verifiers (0.4), unmodified: their tasks are the data, their rewards score the answers.

    environment: {path: verifiers, id: my_taskset, config: {split: train}}

An episode is one answer to a task. What the task's `@reward` functions and judges say of it, by their weights, is the
reward; what its metrics say is in the info. Tasks that need a program in a container, tool servers or a simulated user
are an error: only the agents of that package play them.

The column `index` is the place of the task in the taskset.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, ClassVar

from posttrain.environments.environment import Action, Environment, Outcome
from posttrain.errors import ConfigError, MissingExtraError
from posttrain.records import Message, Prompt
from posttrain.seeds import seed_for


class Verifiers(Environment):
    """Answer the tasks of a taskset.

    Settings:
        id: name of an installed taskset, as the package knows it; any whose tasks are answered in one turn.
        config: options of the taskset; any that it takes.
    """

    replays: ClassVar[bool] = False  # a judge may score

    def __init__(self, *, id: str, config: Mapping[str, Any] | None = None) -> None:  # noqa: A002 -- the package's word
        self.known = taskset(id, json.dumps(config or {}, sort_keys=True))
        self.task: Any = None

    @classmethod
    def tasks(
        cls,
        count: int,
        seed: int,
        *,
        id: str = "",  # noqa: A002
        config: Mapping[str, Any] | None = None,
    ) -> Sequence[Mapping[str, Any]]:
        """Take tasks in an order of the seed; of an infinite taskset those of the seed's own part."""
        known = taskset(id, json.dumps(config or {}, sort_keys=True))
        if known.bounded:
            places = sorted(range(known.size), key=lambda place: seed_for("verifiers", seed, place))[:count]
        else:
            places = list(range(seed * count, (seed + 1) * count))
        for place in places:
            _check(known.at(place), known.rows)
        return [{"prompt": _messages(known.at(place).data, id), "index": place} for place in places]

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        self.task = self.known.at(int(prompt.columns["index"]))
        _check(self.task, self.known.rows)
        return super().reset(prompt, seed)

    def step(self, action: Action) -> Outcome:
        trace = _trace(self.task, action.text)
        asyncio.run(self.task.score(trace))
        missing = [name for name, reward in trace.rewards.items() if reward is None]
        if missing or not trace.rewards:
            raise ValueError(f"the taskset gave no reward {missing or ''}, so the answer was not scored")
        metrics = {name: value for name, value in trace.metrics.items() if value is not None}
        return Outcome(reward=float(trace.reward), done=True, info=metrics)


class Tasks:
    """The tasks of a taskset by their place, loaded as far as they were asked for."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self.bounded = bool(rows.bounded)
        self._left: Iterator[Any] = iter(rows)
        self._loaded: list[Any] = []

    @property
    def size(self) -> int:
        """The number of all tasks, of a taskset that has an end."""
        self._loaded += self._left
        return len(self._loaded)

    def at(self, place: int) -> Any:
        """Return a task. Raises ConfigError where the taskset has fewer."""
        self._loaded += islice(self._left, max(0, place + 1 - len(self._loaded)))
        if place >= len(self._loaded):
            raise ConfigError(f"verifiers: the taskset has {len(self._loaded)} tasks, and none at {place}")
        return self._loaded[place]


@cache
def taskset(name: str, config: str) -> Tasks:
    """Load a taskset. Raises ConfigError where there is none of the name, or it does not take the config."""
    try:
        from verifiers.v1.utils import loaders
    except ModuleNotFoundError as error:
        raise MissingExtraError("the environment verifiers", "verifiers") from error
    try:
        kind = loaders.taskset_config_type(name)
        return Tasks(loaders.load_taskset(kind(id=name, **json.loads(config))))
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ConfigError(f"verifiers: the taskset {name!r} cannot be loaded with {config}: {error}") from error


def _check(task: Any, rows: Any) -> None:
    """Raise ConfigError for a task that one answer does not solve, or whose rewards read a container."""
    from verifiers.v1.task import Task

    kind = type(task)
    reads = [fn.__name__ for fn in task.hooks("reward") if _needs_runtime(fn)]
    reads += [judge.reward_name for judge in task.plugged_judges() if _needs_runtime(judge.score)]
    problems = {
        "runs in a container": kind.NEEDS_CONTAINER,
        "has tool servers": kind.toolsets(task.config) or type(rows).toolsets(rows.config),
        "prepares a container": kind.setup is not Task.setup or kind.finalize is not Task.finalize,
        f"has rewards that read one ({', '.join(reads)})": reads,
    }
    if found := [problem for problem, there in problems.items() if there]:
        raise ConfigError(f"verifiers: the task {kind.__name__} {' and '.join(found)}; it needs that package's agents")


def _needs_runtime(function: Any) -> bool:
    parameter = inspect.signature(function).parameters.get("runtime")
    return parameter is not None and parameter.default is inspect.Parameter.empty


def _messages(data: Any, name: str) -> list[dict[str, str]]:
    """Return the conversation that a task begins with. Raises ConfigError where a user begins it, or for images."""
    if data.prompt is None:
        raise ConfigError(f"verifiers: a simulated user begins the tasks of {name!r}; they need that package's agents")
    given = [("user", data.prompt)] if isinstance(data.prompt, str) else [(m.role, m.content) for m in data.prompt]
    turns = [*([("system", data.system_prompt)] if data.system_prompt else []), *given]
    if not all(isinstance(text, str) for _, text in turns):
        raise ConfigError(f"verifiers: tasks of {name!r} hold more than text")
    return [{"role": role, "content": text} for role, text in turns]


def _trace(task: Any, answer: str) -> Any:
    """Record a conversation of one answer, as that package's agents would."""
    from verifiers.v1 import AgentConfig, AgentInfo, MessageNode, State, Trace, TraceTask
    from verifiers.v1.types import AssistantMessage, SystemMessage, UserMessage
    from verifiers.v1.utils.generic import concrete_type

    kinds = {"system": SystemMessage, "user": UserMessage, "assistant": AssistantMessage}
    said = [kinds[m["role"]](content=m["content"]) for m in _messages(task.data, type(task).__name__)]
    messages = [*said, AssistantMessage(content=answer)]
    nodes = [
        MessageNode(parent=i - 1 if i else None, message=message, sampled=i == len(said))
        for i, message in enumerate(messages)
    ]
    state = (concrete_type(type(task), State) or State)()
    about = TraceTask(type=type(task).__name__, data=task.data, key=task.key, hash=task.hash)
    return Trace(task=about, agent=AgentInfo(config=AgentConfig()), nodes=nodes, state=state)
