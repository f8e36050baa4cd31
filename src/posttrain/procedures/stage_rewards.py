"""The rewards of one stage: some of the run's, with weights of their own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from posttrain.errors import ConfigError, suggestion
from posttrain.training.session import Session


def weighted(session: Session, weights: Mapping[str, float], setting: str) -> tuple[Any, ...]:
    """Return the rewards that `weights` names, with these weights. ConfigError for none, or one that the run has not.

    `setting`: how the run file calls the weights.
    """
    known = {r.name: r for r in session.rewards()}
    if not weights:
        raise ConfigError(f"procedure.{setting}: names no reward; rewards {', '.join(known) or 'none'}")
    check_names(weights, known, setting)
    return tuple(replace(known[name], weight=weight) for name, weight in weights.items())


def check_names(names: Iterable[str], known: Collection[str], setting: str) -> None:
    """Raise ConfigError for a name that is none of the rewards that are known."""
    for name in names:
        if name not in known:
            raise ConfigError(
                f"procedure.{setting}: {name!r} is no reward here{suggestion(name, known)}; "
                f"rewards {', '.join(known) or 'none'}"
            )
