"""A shop that recommends: readers with a taste ask, items answer, and only what is known is clicked.

Every reader likes some genres. What a reader likes is clicked the more often the better it is known; a novel item is
liked as well, but hardly ever clicked, so clicks alone never find it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from posttrain.learners.finite import Finite, Outcome
from posttrain.learners.world import Floats, State
from posttrain.seeds import seed_for

SERVED = -1  # the state behind a recommendation
GENRES = ("crime", "travel", "science", "poetry")


class Recommendation(Finite):
    """A state is a reader, an action recommends an item; reward 1 for a click, and the episode ends.

    `relevant` [readers, items]: whether a reader likes an item. `novelty` [items]: 0 (known to all) to 1 (to nobody).

    Settings:
        readers: how many readers there are; at least 1.
        items: how many items there are; at least 1.
        seed: which shop it is; any whole number.
    """

    goal = "recommend what a reader likes and does not know yet"
    discount = 0.9

    def __init__(self, *, readers: int = 4, items: int = 10, seed: int = 0) -> None:
        super().__init__()
        drawn = np.random.default_rng(seed_for("recommendation", seed))
        genre = drawn.integers(len(GENRES), size=items)
        taste = np.stack([drawn.permutation(len(GENRES)) < 2 for _ in range(readers)])
        self.relevant = taste[:, genre].astype(float)
        self.novelty = drawn.uniform(size=items).round(2)
        self.tastes = tuple(" and ".join(g for g, likes in zip(GENRES, own, strict=True) if likes) for own in taste)
        self.genres = tuple(GENRES[g] for g in genre)
        self.actions = tuple(f"book {i} ({g})" for i, g in enumerate(self.genres))

    @property
    def clicks(self) -> Floats:
        """The probability of a click [readers, items]: half of those who like what they know click it."""
        return self.relevant * (1 - self.novelty) / 2

    def starts(self) -> Sequence[tuple[float, State]]:
        return [(1 / len(self.tastes), reader) for reader in range(len(self.tastes))]

    def outcomes(self, state: State, action: int) -> Sequence[Outcome]:
        p = float(self.clicks[cast(int, state), action])
        return [o for o in ((p, SERVED, 1.0), (1 - p, SERVED, 0.0)) if o[0] > 0]

    def ends(self, state: State) -> bool:
        return state == SERVED

    def describe(self, state: State) -> str:
        reader = cast(int, state)
        return "Nobody asks." if reader == SERVED else f"Reader {reader} likes {self.tastes[reader]}."
