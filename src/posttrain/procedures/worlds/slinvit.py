"""How Can LLM Guide RL? A Value-Based Approach (SLINVIT; Zhang et al., 2024).

A look-ahead follows from each state the actions that a speaker finds likeliest, some steps deep, and takes the first
one of the best path. Its score is what the path earns, what it is worth where it ends, and how likely it was:

    Σ_n (λ log p(a_n | s_n) + r_n) + V̂(s_N)

The look-ahead without help follows all actions, as deep as the same number of paths allows. Both are valued exactly.
"""

from __future__ import annotations

from typing import Any, Literal

from posttrain.learners.gain import gain
from posttrain.learners.look_ahead import leaf_values, look_ahead, without_help
from posttrain.learners.questions import Asked, prior, rows
from posttrain.learners.value_iteration import worth
from posttrain.procedures.helping import keep_choices, told, world_of
from posttrain.training.session import Session


def slinvit(
    session: Session,
    *,
    world: str = "cooking",
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    depth: int = 6,
    breadth: int = 4,
    strength: float = 0.02,
    leaf: Literal["nothing", "random"] = "nothing",
) -> dict[str, float]:
    """Ask for the probabilities of actions -> look ahead over the likeliest, and over all.

    Settings:
        world: name of a world whose states can be listed, or ./mine.py.
        options: settings of the world; null is its defaults.
        speaker: name of the role that is asked.
        depth: steps that are looked ahead; at least 1.
        breadth: actions that are followed from each state; 1 to their number.
        strength: λ, the weight of what the speaker finds likely; 0 to a tenth of the best return.
        leaf: value where a path ends, any of two: nothing (0), or random, that of acting at random.
    """
    made = world_of(session, world, options)
    table = made.table()
    likely = rows(table, prior(made, session.speaker(speaker), Asked(made).states()))
    value = leaf_values(table, leaf)
    policy = look_ahead(table, likely, value, depth=depth, breadth=breadth, strength=strength)
    keep_choices(session, made, policy)
    return told(session, gain([worth(table, policy)], [worth(table, without_help(table, value, depth, breadth))]))
