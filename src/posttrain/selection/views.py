"""Streams derived from other streams, and which groups of answers are worth training on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from posttrain.records import Episode, Rating
from posttrain.seeds import seed_for


def mismatched(ratings: Sequence[Rating]) -> list[Rating]:
    """Return every prompt with the answer to the next one (KTO's estimate of the policy's KL)."""
    shifted = [*ratings[1:], *ratings[:1]]
    return [
        replace(r, id=seed_for("mismatched", r.id), completion=other.completion)
        for r, other in zip(ratings, shifted, strict=True)
    ]


def contrasting(group: Sequence[Episode]) -> bool:
    """Whether the rewards of a group differ, so that the group teaches something (DAPO's dynamic sampling)."""
    return len({r.reward for r in group if r.reward is not None}) > 1
