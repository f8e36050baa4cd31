"""Deep Reinforcement Learning with Double Q-Learning (van Hasselt et al., 2016), with heads that duel (Wang et al.).

A small network learns in a world with the potential that a speaker gives its states (Ng et al., 1999), and without:

    y = r + γ φ(s') - φ(s) + γ Q_target(s', argmax_a' Q(s', a'))
"""

from __future__ import annotations

from statistics import fmean
from typing import Any

from posttrain.learners.dqn import DQNSettings, dqn, one_hot
from posttrain.learners.gain import gain
from posttrain.learners.guides.potential import potential
from posttrain.procedures.helping import told, trials, world_of
from posttrain.training.session import Session


def deep_q(
    session: Session,
    *,
    world: str = "key_door",
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    scale: float = 1.0,
    episodes: int = 60,
    seeds: int = 3,
) -> dict[str, float]:
    """Ask how near the goal is -> double duelling Q-learning with the shaped reward, and without.

    Settings:
        world: name of a world whose states can be listed, or ./mine.py.
        options: settings of the world; null is its defaults.
        speaker: name of the role that is asked.
        scale: potential of a state one step from the goal; 0 is none, the best return is natural.
        episodes: episodes of each learner; at least 1.
        seeds: learners with help, and as many without; at least 1.
    """
    made = world_of(session, world, options)
    extras = potential(made, session.speaker(speaker), scale=scale).extras
    settings, features = DQNSettings(episodes=episodes), one_hot(made)
    names = trials(session, seeds, "learner")
    helped = [dqn(made, features, seed, settings, extras).returns for seed in names]
    alone = [dqn(made, features, seed, settings).returns for seed in names]
    session.artefact("curves", {"helped": helped, "alone": alone})
    return told(session, gain([fmean(x) for x in helped], [fmean(x) for x in alone]))
