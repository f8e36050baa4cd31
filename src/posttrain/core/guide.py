"""Guides: a second writer of some answers.

A guide writes the beginning or the end of an answer, and the author of the sampling writes the rest. What one of them
begins, the other one reads and goes on from; each token is trained or not as its writer says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from posttrain.core.parts import Function, Part, as_part

BEGINNING, END = "beginning", "end"
REFERENCE = "reference"  # the column of the answer that a guide without a model writes
Cut = Annotated["int | None", ""]


@dataclass(frozen=True)
class Guide:
    """Who else writes, which part of the answer, and where the cut is.

    `by`: the geometric mixture of models that the guide is; None for the answer in the column `reference` of the
    prompt. `cut`: a part that reads `length` (tokens of what the first writer would write alone), `chance` (a random
    number in [0, 1), one for each answer) and `step` (number of the batch), and returns how many tokens the first
    writer keeps; None, whatever the length, for an answer without a guide. `train`: whether losses may use the guide's
    tokens, too.
    """

    cut: Part
    by: tuple[tuple[str, float], ...] | None = (("guide", 1.0),)
    writes: str = BEGINNING
    train: bool = False

    def __init__(
        self,
        cut: Part | Function,
        by: tuple[tuple[str, float], ...] | None = (("guide", 1.0),),
        writes: str = BEGINNING,
        train: bool = False,
    ) -> None:
        for name, value in (("cut", as_part(cut)), ("by", by), ("writes", writes), ("train", train)):
            object.__setattr__(self, name, value)

    def cut_of(self, length: int, chance: float, step: int) -> int | None:
        """Return how many tokens the first writer keeps, or None for an answer without a guide."""
        found = self.cut({"length": length, "chance": chance, "step": step})
        return None if found is None else int(found)
