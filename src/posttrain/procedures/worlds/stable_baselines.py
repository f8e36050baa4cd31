"""Stable-Baselines3: Reliable Reinforcement Learning Implementations (Raffin et al., 2021), with help and without.

PPO, DQN or SAC learns in an environment of gymnasium, or in a world of ours. There a speaker may help it, by shaping
its reward with a potential (guides/potential.py) or by shifting it (guides/shift.py, fading over 50 episodes):

    r'(s, a, s') = r + γ φ(s') - φ(s)    or    r'(s, a) = r + c_t δ(s, a)

Every policy is then tried without exploration, for the reward of the environment alone. `artefacts/` has these returns
and the weights of each policy, as safetensors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import fmean
from typing import Any, Literal

from posttrain.errors import ConfigError
from posttrain.evaluation.statistics import mean_interval
from posttrain.learners.as_gymnasium import as_gymnasium
from posttrain.learners.gain import gain
from posttrain.learners.guides.potential import potential
from posttrain.learners.guides.shift import shift
from posttrain.learners.stable_baselines import gymnasium_environment, keep_weights, learned, returns
from posttrain.procedures.helping import told, trials, world_of
from posttrain.training.session import Session


def stable_baselines(
    session: Session,
    *,
    algorithm: Literal["ppo", "dqn", "sac"] = "ppo",
    environment: str | None = None,
    world: str | None = None,
    options: dict[str, Any] | None = None,
    guide: Literal["potential", "shift"] | None = None,
    speaker: str = "speaker",
    scale: float = 0.1,
    steps: int = 10_000,
    learner: dict[str, Any] | None = None,
    episodes: int = 20,
    seeds: int = 3,
) -> dict[str, float]:
    """Learn with Stable-Baselines3 -> the return of what was learned; with a guide, what the help is worth.

    Settings:
        algorithm: ppo, dqn (a list of actions) or sac (actions that are numbers); any of these.
        environment: name in gymnasium, such as CartPole-v1, or Pendulum-v1 for sac; any, null for a world.
        world: name of a world whose states can be listed, or ./mine.py; null for an environment.
        options: settings of the world, or arguments of gymnasium.make; null is its defaults.
        guide: how a speaker helps in a world: potential or shift; null is no help.
        speaker: name of the role that is asked.
        scale: potential of a state one step from the goal, or shift of a good action; 0 is none.
        steps: steps of each learner, which ppo rounds up to whole rollouts; at least 1.
        learner: arguments of the algorithm, and `policy`, such as {learning_rate: 1e-3}; null is its defaults.
        episodes: episodes in which each policy is tried; at least 1.
        seeds: learners, and with a guide as many without; at least 1.
    """
    learn = partial(learned, algorithm=algorithm, steps=steps, options=learner)
    make = _place(session, environment, world, options)
    if guide is None:
        return _said(session, _tried(session, {"alone": make}, make, learn, episodes, seeds)["alone"])
    if world is None:
        raise ConfigError(f"procedure.guide: {guide} helps in a `world`, and {environment} is none")
    made, asked = world_of(session, world, options), session.speaker(speaker)
    hooks = potential(made, asked, scale=scale) if guide == "potential" else shift(made, asked, size=scale)
    places: dict[str, Callable[..., Any]] = {"helped": partial(make, extras=hooks.extras), "alone": make}
    scores = _tried(session, places, make, learn, episodes, seeds)
    return told(session, gain(scores["helped"], scores["alone"]))


def _place(
    session: Session, environment: str | None, world: str | None, options: dict[str, Any] | None
) -> Callable[..., Any]:
    """What makes a new environment for each learner. ConfigError unless it is one of the two."""
    if world is not None and environment is None:
        return partial(as_gymnasium, world_of(session, world, options))
    if environment is not None and world is None:
        return partial(gymnasium_environment, environment, options)
    raise ConfigError("procedure: name either an `environment` of gymnasium, such as CartPole-v1, or a `world`")


def _tried(
    session: Session,
    places: dict[str, Callable[..., Any]],
    plain: Callable[..., Any],
    learn: Callable[..., Any],
    episodes: int,
    seeds: int,
) -> dict[str, list[float]]:
    """Learn in each place at the same seeds, and keep what was earned and learned. The mean return of each learner."""
    numbers = trials(session, seeds, "learner")
    models = {name: [learn(make(), seed=seed) for seed in numbers] for name, make in places.items()}
    found = {
        name: [returns(model, plain(), seed, episodes) for model, seed in zip(those, numbers, strict=True)]
        for name, those in models.items()
    }
    file = session.artefact("returns", found)
    keep_weights({f"{name}-{n}": model for name, those in models.items() for n, model in enumerate(those)}, file)
    return {name: [fmean(row) for row in rows] for name, rows in found.items()}


def _said(session: Session, scores: list[float]) -> dict[str, float]:
    """Say what was earned: the mean over the learners and, of several, its 95% interval."""
    mean, low, high = mean_interval(scores)
    ends = {"return/low": low, "return/high": high} if len(scores) > 1 else {}
    within = f" [{low:.3f}, {high:.3f}]" if ends else ""
    session.note(f"return {mean:.3f}{within}")
    return {"return": mean, **ends}
