"""Rankings by the scores of several judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean, pstdev

from posttrain.errors import DataError
from posttrain.records import Ranking


def by_score(ranking: Ranking, scores: Sequence[float]) -> Ranking:
    """Return the answers with the best first, and their columns in the same order; ties keep their order."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    columns = {
        n: [x[i] for i in order] if isinstance(x, list | tuple) and len(x) == len(order) else x
        for n, x in ranking.columns.items()
    }
    return replace(ranking, completions=tuple(ranking.completions[i] for i in order), columns=columns)


def deviations(votes: Sequence[float]) -> list[float]:
    """Return (v - mean)/std of a community's votes; 0 where all are the same."""
    spread = pstdev(votes)
    return [(v - fmean(votes)) / spread if spread else 0.0 for v in votes]


def shares(votes: Sequence[float]) -> list[float]:
    """Return (v - min)/(max - min) of a community's votes; 0 where all are the same."""
    low, high = min(votes), max(votes)
    return [(v - low) / (high - low) if high > low else 0.0 for v in votes]


def votes_of(ranking: Ranking) -> list[float]:
    """Return the column `votes`, one number for each answer. DataError where it is anything else."""
    votes = ranking.columns.get("votes")
    if not isinstance(votes, list | tuple) or len(votes) != len(ranking.completions):
        raise DataError(
            f"{ranking.where}: 'votes' must be a list of {len(ranking.completions)} numbers, one for each of "
            f"'completions', not {votes!r}; if it is called otherwise, set columns: {{votes: ITS_NAME}}"
        )
    return [float(v) for v in votes]
