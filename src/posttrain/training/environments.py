"""The environment that a run file names: its class, its tasks, and what a run with it cannot do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posttrain.environments import lookup
from posttrain.environments.hosts import Hosts
from posttrain.environments.recorded import Recorded
from posttrain.environments.tasks import COUNT, seed_of, tasks
from posttrain.errors import ConfigError

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile
    from posttrain.core.method import Sampling
    from posttrain.environments.environment import Environment

ANSWERS = "kept/environment.jsonl"
Rows = Sequence[tuple[str, Mapping[str, Any]]]


def environment_of(file: RunFile) -> type[Environment]:
    """Return the class of the run file's environment. Raises ConfigError if it cannot be loaded or made so."""
    section = file.environment
    if section is None:
        raise ConfigError("the run file has no environment; add environment: {path: ./mine.py}")
    made = lookup.load(section.path, file.base)
    lookup.check(made, section.settings, section.path)
    return made


def hosts_of(file: RunFile, folder: Path | None) -> Hosts | None:
    """Return the processes that episodes run in, which start when they are first needed; None without environment.

    `folder`: that of the run, where answers are kept that would not come again.
    """
    section = file.environment
    if section is None:
        return None
    made = environment_of(file)
    return Hosts(
        section.path,
        section.settings,
        workers=section.workers,
        timeout=section.timeout,
        memory=section.memory,
        recorded=None if made.replays or folder is None else Recorded(folder / ANSWERS),
    )


def tasks_of(file: RunFile, spec: str, size: int | None) -> Rows | None:
    """Return the tasks that a source names of the run's environment; None for any other source."""
    seed = seed_of(spec)
    if seed is None:
        return None
    made = environment_of(file)
    assert file.environment is not None
    return tasks(made, file.environment.path, size or COUNT, seed, file.environment.settings)


def most_tokens(file: RunFile) -> int:
    """Return the most tokens that the policy may write behind a prompt: in an answer, or in an episode's turns."""
    section, turn = file.environment, file.sampling.max_tokens
    if section is None:
        return turn
    whole = turn * section.max_turns
    return whole if section.max_episode_tokens is None else min(whole, section.max_episode_tokens)


def check_environment(file: RunFile, authors: Sequence[Sampling], *, samples: bool) -> None:
    """Raise ConfigError for what does not go together with an environment. `samples`: the method samples answers."""
    if file.environment is None:
        return
    environment_of(file)
    if not samples:
        raise ConfigError(
            "environment: the method learns from records and samples nothing; remove it, or choose one "
            "that does, such as online/grpo"
        )
    if file.sampling.spare_prompts:
        raise ConfigError("sampling.spare_prompts: an episode in an environment is played within one step; set it to 0")
    if any(author.guide for author in authors):
        raise ConfigError("environment: a guide writes a part of a single answer; choose a method without a guide")
