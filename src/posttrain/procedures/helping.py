"""What procedures of worlds share: the world and the learner of a run file, help against none, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from statistics import fmean
from typing import Any

from posttrain.errors import ConfigError, suggestion
from posttrain.learners import lookup
from posttrain.learners.finite import Finite
from posttrain.learners.gain import gain
from posttrain.learners.q_learning import Hooks, Learned, Q, Settings, q_learning
from posttrain.learners.remembering import finite
from posttrain.learners.world import Floats, World
from posttrain.training.session import Session

Options = Mapping[str, Any] | None
Learn = Callable[[int], Learned]  # at a seed


def world_of(session: Session, path: str, options: Options = None) -> World:
    """The world that a run file names, or a file beside it."""
    return lookup.world(path, options, session.run.file.base)


def finite_world_of(session: Session, path: str, options: Options = None) -> Finite:
    """The same for a world that lists what an action may lead to. ConfigError for another."""
    return finite(world_of(session, path, options))


def learning(options: Options = None) -> Settings:
    """The settings of Q-learning. ConfigError for one that there is not."""
    known = {f.name: f.default for f in fields(Settings)}
    for name, value in (options or {}).items():
        if name not in known:
            raise ConfigError(f"procedure.q.{name}: unknown setting{suggestion(name, known)}; {', '.join(known)}")
        kind = bool if isinstance(known[name], bool) else (int, float)
        if not isinstance(value, kind):
            raise ConfigError(f"procedure.q.{name}: {value!r} is not of the kind of {known[name]!r}, the default")
    return Settings(**(options or {}))


def trials(session: Session, count: int, name: str = "trial") -> list[int]:
    """The seeds of a number of learners or other trials. ConfigError for none."""
    if count < 1:
        raise ConfigError(f"procedure.seeds: {count} is not at least 1")
    return [session.seed(name, n) for n in range(count)]


def with_hooks(session: Session, made: World, hooks: Hooks, q: Options, seeds: int) -> dict[str, float]:
    """Compare Q-learning with these hooks and without."""
    settings = learning(q)
    return compared(
        session,
        made,
        lambda seed: q_learning(made, seed, settings, hooks),
        lambda seed: q_learning(made, seed, settings),
        seeds,
    )


def compared(session: Session, made: World, helped: Learn, alone: Learn, seeds: int) -> dict[str, float]:
    """Learn with and without help at the same seeds; keep the curves and the table of the first seed.

    A score is the mean return of all episodes of a learner, in the world itself.
    """
    numbers = trials(session, seeds, "learner")
    with_help, without = [helped(seed) for seed in numbers], [alone(seed) for seed in numbers]
    keep_table(session, made, with_help[0].q)
    curves = {"helped": curve(with_help), "alone": curve(without)}
    session.artefact("curves", curves)
    return told(session, gain([fmean(one.returns) for one in with_help], [fmean(one.returns) for one in without]))


def told(session: Session, metrics: dict[str, float]) -> dict[str, float]:
    """Say what the help was worth, and return it."""
    within = f" [{metrics['gain/low']:+.3f}, {metrics['gain/high']:+.3f}]" if "gain/low" in metrics else ""
    session.note(f"helped {metrics['helped']:.3f}, alone {metrics['alone']:.3f}: gain {metrics['gain']:+.3f}{within}")
    return metrics


def keep_table(session: Session, made: World, q: Q) -> None:
    """Keep the value of each action of each state that was met, in words."""
    rows = {made.describe(state): dict(zip(made.actions, values, strict=True)) for state, values in q.items()}
    session.artefact("table", rows)


def keep_choices(session: Session, made: World, policy: Floats) -> None:
    """Keep the probability of each action of each state that is no end, in words. `policy` [S, A]."""
    table = made.table()
    alive = [(s, row) for s, end, row in zip(table.states, table.terminal, policy.tolist(), strict=True) if not end]
    session.artefact("policy", {made.describe(s): dict(zip(made.actions, row, strict=True)) for s, row in alive})


def curve(learned: list[Learned]) -> list[float]:
    """The mean return of each episode."""
    return [fmean(returns) for returns in zip(*(one.returns for one in learned), strict=True)]
