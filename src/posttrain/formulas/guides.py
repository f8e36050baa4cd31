"""Answers that a guide shares: how many tokens their first writer keeps, and which losses are whose."""

from __future__ import annotations

from typing import Annotated

from posttrain.core.guide import Cut
from posttrain.core.parts import PerToken

Length = Annotated[int, ""]
Chance = Annotated[float, ""]


def random_cut(length: Length, chance: Chance, *, share: float = 0.8) -> Cut:
    """Cut after a number of tokens that is uniform from 1 to all but one; None for the answers without a guide.

    Settings:
        share: β, probability that a guide takes part in an answer; 0 (never) to 1, 0.6 to 0.8 in the paper.
    """
    if chance >= share or length < 2:
        return None
    return 1 + min(int(chance / share * (length - 1)), length - 2)


def growing_rest(length: Length, step: Length, *, warmup: int = 0, rest: int = 2, every: int = 100) -> Cut:
    """Cut before the last Δ tokens. Δ is 0 for the warm-up, then grows; None once it covers the answer.

        Δ = δ (1 + ⌊(step - warm-up) / every⌋)

    Settings:
        warmup: steps in which whole answers are imitated; 0 or more.
        rest: δ, tokens by which the sampled rest is longer each time; at least 1, 2 to 3 in the paper.
        every: steps after which it grows again; at least 1.
    """
    if step < warmup:
        return length
    sampled = rest * (1 + (step - warmup) // every)
    return length - sampled if sampled < length else None


def of_guide(loss: PerToken, guided: PerToken) -> PerToken:
    """Loss of the tokens that a guide wrote; 0 elsewhere."""
    return guided * loss


def of_author(loss: PerToken, guided: PerToken) -> PerToken:
    """Loss, or credit, of the tokens that the author wrote; 0 where a guide did."""
    return (1 - guided) * loss
