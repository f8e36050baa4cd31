"""The rewards that a run file names, or that were given in Python under its names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from posttrain.rewards.passage import Passage
from posttrain.rewards.reward import Reward, resolve
from posttrain.rewards.shaping.transform import transforms
from posttrain.roles.protocol import TextRole

if TYPE_CHECKING:
    from posttrain.config.code import Code
    from posttrain.config.schema import RunFile

ENVIRONMENT = "environment"  # the reward that the environment of a run gives
Speaker = Callable[[Any], TextRole]  # from what a setting says of a model to the model


def named_rewards(file: RunFile, speaker: Speaker | None = None) -> tuple[Reward, ...]:
    """Make the rewards of a run file. Raises ConfigError for one that cannot be loaded or called.

    `speaker` finds the models that rewards read; without it their settings stay as they are written.
    """
    made = []
    for entry in file.rewards:
        given = file.given.get(entry.path)
        if isinstance(given, Reward):
            own = transforms([spec(t) for t in entry.transform])
            passage = Passage(entry.read_after, entry.read_before)
            passage = given.passage if passage.is_whole else passage
            made.append(replace(given, weight=entry.weight, passage=passage, transform=own or given.transform))
        else:
            fixed = {"path": given or entry.path, "weight": entry.weight, "signature": entry.signature}
            part = {"read_after": entry.read_after, "read_before": entry.read_before}
            made.append(resolve({**entry.settings, **fixed, **part, "transform": [spec(t) for t in entry.transform]}))
    if file.environment is not None:
        made = with_environment(made)
    return tuple(made if speaker is None else (with_models(reward, speaker) for reward in made))


def with_environment(rewards: Sequence[Reward]) -> list[Reward]:
    """Return the rewards with what the environment says, which needs no process of its own."""
    own = resolve(ENVIRONMENT)
    named = rewards if any(r.source == own.source for r in rewards) else [*rewards, own]
    return [replace(r, whole_batch=True) if r.source == own.source else r for r in named]


def with_models(reward: Reward, speaker: Speaker) -> Reward:
    """Return the reward with its models, which are asked once for all answers of a batch, in this process."""
    models = {name: speaker(reward.settings[name]) for name in reward.reads.models if name in reward.settings}
    return replace(reward, settings={**reward.settings, **models}, whole_batch=True) if models else reward


def unnamed(path: str | Callable[..., Any], settings: Mapping[str, Any], speaker: Speaker) -> Reward:
    """Make a reward that no run file names. A function of this process is called once for all answers of a batch."""
    made = with_models(resolve({"path": path, **settings}), speaker)
    return made if isinstance(path, str) else replace(made, whole_batch=True)


def models_of(file: RunFile) -> dict[str, Any]:
    """Return what rewards say of models that are none of the run's roles, by a name for each different one."""
    said = [r.settings[name] for r in named_rewards(file) for name in r.reads.models if name in r.settings]
    return {name_of(model): model for model in said if not (isinstance(model, str) and model in roles(file))}


def roles(file: RunFile) -> set[str]:
    """Return the names of the models of a run."""
    return {"policy", *file.models}


def name_of(model: Any) -> str:
    """Return the name of a model that a reward describes by its path or by the keys of `models`."""
    return f"rewards: {json.dumps({'path': model} if isinstance(model, str) else model, sort_keys=True)}"


def spec(entry: Code) -> dict[str, Any]:
    """A transform as `rewards.shaping.transform` takes it."""
    return {**entry.settings, "path": entry.path}
