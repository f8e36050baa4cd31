"""Language model agents that adjust hyper-parameters: here of Q-learning in a small world.

A speaker reads what may be set and what came of earlier settings, and proposes new ones. Random search with as many
trials is what it must beat; both are compared at seeds that neither has seen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from posttrain.learners.q_learning import Learned, q_learning
from posttrain.learners.tuning.setting_search import SettingSearch
from posttrain.learners.tuning.space import Space
from posttrain.procedures.helping import compared, learning, world_of
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.course import Strategy
from posttrain.search.evolution.strategies.beam import beam
from posttrain.training.session import Session

SPACE = {
    "rate": {"from": 0.01, "to": 1.0},
    "explore": {"from": 0.01, "to": 0.9},
    "decay": {"from": 0.0, "to": 0.1},
    "double": [True, False],
}
KNOWN = {"rate": 0.8, "explore": 0.05, "decay": 0.05, "double": False}  # good in the room with a key and a door


def tune_learner(
    session: Session,
    *,
    world: str = "key_door",
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    space: dict[str, Any] | None = None,
    known: dict[str, Any] | None = None,
    rounds: int = 4,
    samples: int = 1,
    q: dict[str, Any] | None = None,
    trials: int = 3,
    seeds: int = 5,
) -> dict[str, float]:
    """Propose settings of Q-learning -> try them, and as many random ones; compare the best of both.

    Settings:
        world: name of a world, or ./mine.py.
        options: settings of the world; null is its defaults.
        speaker: name of the role that proposes settings.
        space: options (a list) or range ({from: 0.1, to: 1.0}) of each setting by name; null is that of this file.
        known: settings that a scripted speaker takes for the best, by name; null are those of this file.
        rounds: rounds of proposals; at least 1.
        samples: proposals in a round; at least 1.
        q: options of learners/q_learning.py that stay as they are, such as {episodes: 200}; null is its defaults.
        trials: learners that try each proposal; at least 1.
        seeds: learners that compare the best of both; at least 1.
    """
    made, fixed = world_of(session, world, options), q or {}

    def learned(text: str, seed: int) -> Learned:
        return q_learning(made, seed, learning({**fixed, **json.loads(text)}))

    def measure(settings: Mapping[str, Any], number: int) -> float:
        del number
        text = json.dumps(settings)
        return fmean(fmean(learned(text, session.seed("trial", n)).returns) for n in range(trials))

    about = f"Q-learning of: {made.goal}"
    search = SettingSearch(
        Space(space or SPACE), measure, session.speaker(speaker), about, session.seed("space"), known or KNOWN
    )
    strategy = Strategy(beam, rounds=rounds, branching=samples)
    proposed = session.evolve("proposed", strategy, search.write, search.evaluate)
    drawn = session.evolve("random", strategy, search.random, search.evaluate)
    kept = {"proposed": json.loads(best_of(proposed)), "random": json.loads(best_of(drawn))}
    session.artefact("settings", kept)
    return compared(
        session, made, lambda seed: learned(best_of(proposed), seed), lambda seed: learned(best_of(drawn), seed), seeds
    )


def best_of(archive: Archive) -> str:
    """Return the best settings as JSON; none where nobody could read any."""
    return "{}" if archive.best is None else archive.best.text or "{}"
