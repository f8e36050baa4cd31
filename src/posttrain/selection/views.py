"""Streams derived from other streams, and which groups of answers are worth training on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from posttrain.records import Episode, Rating
from posttrain.seeds import seed_for


def mismatched(ratings: Sequence[Rating]) -> list[Rating]:
    """Return every prompt with the answer to the next other one (KTO's estimate of the policy's KL).

    Where all prompts are equal, it is the answer of the next record. Needs two records.
    """
    twice, n = [*ratings, *ratings], len(ratings)
    nexts = (twice[i + 1 : i + n] for i in range(n))
    others = (
        next((o for o in after if o.prompt != r.prompt), after[0]) for r, after in zip(ratings, nexts, strict=True)
    )
    return [
        replace(r, id=seed_for("mismatched", r.id), completion=other.completion)
        for r, other in zip(ratings, others, strict=True)
    ]


def contrasting(group: Sequence[Episode]) -> bool:
    """Whether the rewards of a group differ, so that the group teaches something (DAPO's dynamic sampling)."""
    return len({r.reward for r in group if r.reward is not None}) > 1


def best_and_worst(group: Sequence[Episode]) -> list[Episode]:
    """Select the answers of the highest and the lowest reward; of equals, the first as best and the last as worst.

    These are the ranks whose rewards can be believed most (Shen and Zhang, 2024). All answers have a reward.
    """
    if len(group) < 2:
        return list(group)
    ranked = sorted(group, key=lambda e: -(e.reward or 0.0))
    return [ranked[0], ranked[-1]]
