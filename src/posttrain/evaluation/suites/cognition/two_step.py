"""CogBench: A Large Language Model Walks Into a Psychology Lab (Coda-Forno et al., 2024): the two-step task.

Ship F usually flies to planet X, ship J to planet Y, and sometimes to the other one; a planet has treasure or none.
After treasure, who does not think of planets takes the same ship again; who does takes it again only if it flew where
it usually flies:

    P(stay) = σ(c + b1 treasure + b2 usual + b3 treasure × usual)        treasure, usual: ±1
    model-based = b3, model-free = b1
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from posttrain.evaluation.metrics.regression import logistic
from posttrain.evaluation.suite import Item, Suite, continued, user
from posttrain.evaluation.suites.cognition.replies import drawn, letter
from posttrain.records import Prompt

USUAL = 0.7
START = (
    "You look for treasure with two spaceships. Ship F usually flies to planet X and sometimes to planet Y, ship J "
    "usually flies to planet Y and sometimes to planet X. How rich the planets are changes slowly. "
    "Reply with F or J. Day 1."
)


def two_step(*, games: int = 6, rounds: int = 16, max_tokens: int = 4) -> Suite:
    """Build the suite.

    Settings:
        games: number of games; at least 1.
        rounds: days of each; at least 2, 16 or more fit the effects.
        max_tokens: longest reply in tokens; at least 1.
    """
    return Suite(
        [Prompt(i, user(START)) for i in range(games)],
        wholes={"model_based": lambda items: effect(items, 3), "model_free": lambda items: effect(items, 1)},
        extract=letter,
        follow=lambda items: [continued(i, told(i)) for i in items],
        turns=rounds,
        max_tokens=max_tokens,
    )


def day(game: int, t: int, ship: str) -> tuple[str, bool, bool]:
    """Return where a ship flies on a day, whether it usually flies there, and whether there is treasure."""
    usual = drawn("flight", game, t, ship) < USUAL
    planet = "X" if (ship == "F") == usual else "Y"
    return planet, usual, drawn("treasure", game, t, planet) < riches(game, t, planet)


def riches(game: int, t: int, planet: str) -> float:
    """Return the chance of treasure on a planet, which swings between a quarter and three quarters."""
    return 0.5 + 0.25 * math.sin(2 * math.pi * (t / 16 + drawn("riches", game, planet)))


def told(item: Item) -> str:
    """Tell where the ship flew, and what was there."""
    t = len(item.replies)
    if item.answer is None:
        return f"That could not be read; reply with F or J. Day {t + 1}."
    planet, _, treasure = day(item.prompt.id, t - 1, item.answer)
    return f"Ship {item.answer} flew to planet {planet}: {'treasure' if treasure else 'nothing'}. Day {t + 1}."


def effect(items: Sequence[Item], which: int) -> float | None:
    """Return a coefficient of staying with a ship, as they are numbered above; None for fewer than two days."""
    rows, stayed = [], []
    for item in items:
        ships = [r.answer for r in item.replies]
        for t, (before, after) in enumerate(pairwise(ships)):
            if before is not None and after is not None:
                _, usual, treasure = day(item.prompt.id, t, before)
                a, b = 2 * treasure - 1, 2 * usual - 1
                rows.append([a, b, a * b])
                stayed.append(float(before == after))
    fitted = logistic(rows, stayed, ridge=0.1) if rows else None
    return None if fitted is None else fitted[which]
