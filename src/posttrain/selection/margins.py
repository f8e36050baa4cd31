"""Margins of pairs: by how much more than nothing the preferred answer must win, in units of the gap of log-ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from posttrain.errors import DataError
from posttrain.records import Pair, Record


def with_margins(pairs: Sequence[Record], margins: Sequence[float]) -> tuple[Pair, ...]:
    """Return the pairs with a column `margin`. Raises DataError for a pair that brings one already."""
    marked = []
    for p, margin in zip(pairs, margins, strict=True):
        assert isinstance(p, Pair)
        if "margin" in p.columns:
            raise DataError(
                f"{p.where}: the column margin is computed here; remove it, or train preference/sr_dpo on it"
            )
        marked.append(replace(p, columns={**p.columns, "margin": margin}))
    return tuple(marked)


def earlier_rewards(gaps: Sequence[float], share: float) -> float:
    """Return λ Σ_i r_i of a pair: what the rounds before have learned about it implicitly, each with its own margin.

        r_i = (g_i - g_{i-1}) - λ Σ_{j<i} r_j,    g = log π(y_w) - log π(y_l)

    gaps: g under the model of the start and after each round, so that a single one gives 0. share: λ.
    """
    kept = 0.0
    for before, after in pairwise(gaps):
        kept += share * (after - before - kept)
    return kept


def by_dimension(pairs: Sequence[Record], column: str, order: Sequence[str]) -> dict[str, list[Record]]:
    """Return the pairs of each dimension, in the order given; without one, in that of their first pairs.

    Raises DataError for a pair of no dimension or of another one, and for a dimension without pairs.
    """
    parts: dict[str, list[Record]] = {name: [] for name in order}
    for p in pairs:
        if column not in p.columns or (order and str(p.columns[column]) not in order):
            found = f"{column} {p.columns[column]!r} is none of {', '.join(order)}" if column in p.columns else "none"
            raise DataError(
                f"{p.where}: its dimension: {found}; correct the column {column!r}, or procedure.dimensions"
            )
        parts.setdefault(str(p.columns[column]), []).append(p)
    empty = [name for name, part in parts.items() if not part]
    if empty:
        raise DataError(f"no pairs of the dimension {empty[0]}; remove it from procedure.dimensions, or add some")
    return parts
