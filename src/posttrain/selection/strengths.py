"""What becomes of pairs of known strength: u, the gap that reward models see which have not been trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from posttrain.errors import DataError
from posttrain.records import Pair, Record
from posttrain.seeds import seed_for


def halves(pairs: Sequence[Record], seed: int) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """Return two halves of the pairs in their order, drawn by id and seed alone. Raises DataError for a single one."""
    if len(pairs) < 2:
        raise DataError(f"{len(pairs)} pairs cannot be halved; give at least 2")
    drawn = sorted(range(len(pairs)), key=lambda i: seed_for(seed, pairs[i].id))
    first = set(drawn[: len(pairs) // 2])
    one = tuple(p for i, p in enumerate(pairs) if i in first)
    return one, tuple(p for i, p in enumerate(pairs) if i not in first)


def relabelled(
    pairs: Sequence[Record], strengths: Sequence[float], *, flip: float, soften: float, margin: float
) -> tuple[Pair, ...]:
    """Return the pairs with flipped labels, an `agreement` and a `margin`.

    flip: share of the pairs, those of the least strength, that change sides, and the sign of their strength. soften:
    what the agreement with a pair of negative strength lacks to 1. margin: margin for each unit of strength.
    """
    weakest = set(sorted(range(len(pairs)), key=lambda i: strengths[i])[: round(flip * len(pairs))])
    treated = []
    for i, p in enumerate(pairs):
        assert isinstance(p, Pair)
        turned = i in weakest
        u = -strengths[i] if turned else strengths[i]
        columns = {**p.columns, "agreement": 1 - soften if u < 0 else 1.0, "margin": margin * u}
        chosen, rejected = (p.rejected, p.chosen) if turned else (p.chosen, p.rejected)
        treated.append(replace(p, chosen=chosen, rejected=rejected, columns=columns))
    return tuple(treated)
