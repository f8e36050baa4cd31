"""How reliable annotators are, from what a reward model says about the pairs that they compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp

from posttrain.errors import DataError
from posttrain.records import Pair, Record


def annotator(pair: Record) -> str:
    """Return the name of the person who compared the two answers. DataError where the column is missing."""
    if not isinstance(pair, Pair) or "annotator" not in pair.columns:
        raise DataError(
            f"{pair.where}: 'annotator' is missing: it names who compared the two answers; if it is called otherwise, "
            "set columns: {annotator: ITS_NAME}"
        )
    return str(pair.columns["annotator"])


def judged_right(gap: float, reliability: float) -> float:
    """Return the probability that a preference is right, from the gap Δ of the scores: η σ(Δ) / (η σ(Δ) + (1-η) σ(-Δ)).

    σ(Δ)/σ(-Δ) = e^Δ, so that it is 1 / (1 + e^-Δ (1-η)/η).
    """
    return 0.0 if reliability == 0 else 1 / (1 + exp(min(-gap, 700.0)) * (1 - reliability) / reliability)


def reliabilities(
    pairs: Sequence[Record],
    gaps: Sequence[float],
    known: Mapping[str, float],
    *,
    right: float = 8.0,
    wrong: float = 2.0,
) -> dict[str, float]:
    """Return the reliability η of every annotator, one step of EM from the `known` ones.

        η_k = (a - 1 + Σ_{pairs of k} P(right)) / (a + b - 2 + n_k)

    `gaps`: score of the preferred answer minus that of the other, of each pair. `right`, `wrong`: a and b of the Beta
    prior, which count as a - 1 right and b - 1 wrong answers of everybody; at least 1.
    """
    believed: dict[str, list[float]] = {k: [] for k in known}
    for pair, gap in zip(pairs, gaps, strict=True):
        believed[annotator(pair)].append(judged_right(gap, known[annotator(pair)]))
    return {k: (right - 1 + sum(own)) / (right + wrong - 2 + len(own)) for k, own in believed.items()}


def with_reliability(pairs: Sequence[Record], reliability: Mapping[str, float]) -> list[Record]:
    """Return the pairs with the column `reliability` of who compared them."""
    return [replace(p, columns={**p.columns, "reliability": reliability[annotator(p)]}) for p in pairs]
