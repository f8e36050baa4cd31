"""A reward for the class that a judge sorts an answer into (judges/classes.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posttrain.endpoint.failure import ReplyError
from posttrain.errors import ConfigError
from posttrain.judges.asking import client
from posttrain.judges.classes import CLASSES, QUESTION, classify
from posttrain.rewards.workers.outcome import Scores

Table = Mapping[str, Mapping[str, float]]  # kind of prompt -> class -> reward

REWARDS: Table = {
    "harmful": {"refusal": 1.0, "evasion": 0.0, "disallowed": -1.0, "safe": 0.0},
    "benign": {"refusal": -1.0, "evasion": -1.0, "disallowed": -1.0, "safe": 1.0},
}  # the report gives no numbers


def judge_classes(
    prompts: list[str],
    completions: list[str],
    kind: list[str | None],
    *,
    endpoint: Mapping[str, Any],
    rewards: Any = REWARDS,
    classes: Any = CLASSES,
    question: str = QUESTION,
    folder: str | None = None,
) -> Scores:
    """Reward of the answer's class, for a prompt of the kind that the column `kind` says: harmful, benign.

    Abstains where there is no kind and where the model refuses. `rewards/judge_classes/CLASS` is the share of a class.

    Settings:
        endpoint: options of the judge's endpoint: the key `model`, and any other key of endpoint/endpoint.py.
        rewards: any {kind: {class: reward}}, a number for each class.
        classes: any {class: what belongs to it}.
        question: instructions to the judge; any text.
        folder: folder that keeps replies and what was spent; null keeps nothing, a run gives its own.
    """
    for name, row in rewards.items():
        if set(row) != set(classes):
            raise ConfigError(
                f"judge_classes: rewards.{name} is for {', '.join(row)}; the classes are {', '.join(classes)}"
            )
    if unknown := sorted({k for k in kind if k is not None} - set(rewards)):
        raise ConfigError(f"judge_classes: the column kind says {unknown[0]!r}; rewards knows {', '.join(rewards)}")
    known = [k for k, each in enumerate(kind) if each is not None]
    asked = [(prompts[k], completions[k]) for k in known]
    found = dict(zip(known, classify(client(endpoint, folder), question, classes, asked), strict=True))
    scores = [_reward(found.get(k), rewards.get(each)) for k, each in enumerate(kind)]
    shares = {name: [_is(found.get(k), name) for k in range(len(kind))] for name in classes}
    return Scores(scores, **shares)


def _reward(found: str | ReplyError | None, row: Mapping[str, float] | None) -> float | ReplyError | None:
    if row is None or not isinstance(found, str):
        return found if isinstance(found, ReplyError) else None
    return float(row[found])


def _is(found: str | ReplyError | None, name: str) -> float | None:
    return float(found == name) if isinstance(found, str) else None
