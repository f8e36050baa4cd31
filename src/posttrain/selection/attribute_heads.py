"""Linear heads for the attributes of an answer, fitted to ratings in closed form on frozen states (Wang et al., 2024).

Legend: N rated answers, D width of a state, K attributes. A rating that is missing is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from posttrain.data.error_context import errors_at
from posttrain.data.numeric_columns import numbers
from posttrain.errors import DataError
from posttrain.records import Record

FOLD = 5  # every fifth rated answer chooses the ridge
HALVINGS = 7  # of the interval in which the share of verbosity lies


def rated(records: Sequence[Record]) -> Tensor:
    """Return the column `attributes` of each record: [N, K]. Raises DataError where one lacks it, or has another K."""
    rows = [_attributes(r) for r in records]
    for record, row in zip(records, rows, strict=True):
        if len(row) != len(rows[0]):
            raise DataError(f"{record.where}: it has {len(row)} attributes and the first answer has {len(rows[0])}")
    return torch.tensor(rows, dtype=torch.float64)


def _attributes(record: Record) -> tuple[float, ...]:
    with errors_at(record.where):
        found: tuple[float, ...] = numbers(record.columns, {"attributes": "B K"}).get("attributes", ())
        if not found:
            raise DataError(
                "no ratings; give each rated answer a column `attributes`: a list of numbers, null where one is missing"
            )
    return found


def ridge(states: Tensor, ratings: Tensor, penalties: Sequence[float]) -> Tensor:
    """Fit a head to each attribute, without a constant: [N, D] and [N, K] -> [K, D].

        w_k = argmin Σ_n (a_nk - w·e_n)² + λ_k |w|²

    λ_k is the penalty of the least squared error on held-out answers, after which all answers are fitted.
    """
    return torch.stack([_fitted(states, column, penalties) for column in ratings.T])


def _fitted(states: Tensor, column: Tensor, penalties: Sequence[float]) -> Tensor:
    known = ~column.isnan()
    e, a = states[known], column[known]
    held = torch.arange(len(a)) % FOLD == FOLD - 1
    errors = [((e[held] @ solved(e[~held], a[~held], x) - a[held]) ** 2).sum() for x in penalties]
    return solved(e, a, penalties[int(torch.stack(errors).argmin())])


def solved(states: Tensor, ratings: Tensor, penalty: float) -> Tensor:
    """Solve (E'E + λ I) w = E'a: [N, D] and [N] -> [D]."""
    found: Tensor = torch.linalg.solve(
        states.T @ states + penalty * torch.eye(states.shape[1]).to(states), states.T @ ratings
    )
    return found


def decorrelated(heads: Tensor, states: Tensor, verbosity: int, threshold: float) -> Tensor:
    """Subtract from each head as little of that of verbosity as makes their rank correlation at most the threshold.

        w_k - c_k w_v,    c_k = min {c : ρ(r_k - c r_v, r_v) <= threshold},    c_v = 1

    The correlation is Spearman's, over the answers with these states [N, D]. heads: [K, D].
    """
    scores = states @ heads.T
    other = scores[:, verbosity]
    changed = heads.clone()
    for k, own in enumerate(scores.T):
        changed[k] -= (1.0 if k == verbosity else _share(own, other, threshold)) * heads[verbosity]
    return changed


def _share(own: Tensor, other: Tensor, threshold: float) -> float:
    """Return c, to within 1/128 of the share at which a correlation of any size is gone."""
    if correlation(own, other) <= threshold:
        return 0.0
    low, high = 0.0, float(own.std() / other.std())
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if correlation(own - middle * other, other) <= threshold:
            high = middle
        else:
            low = middle
    return high


def correlation(a: Tensor, b: Tensor) -> float:
    """Spearman's rank correlation of two lists of numbers [N]; 0 where one is constant."""
    x, y = (_ranks(values) for values in (a, b))
    scale = math.sqrt(float((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale else 0.0


def _ranks(values: Tensor) -> Tensor:
    """Ranks, less their mean; equal numbers share theirs."""
    _, place, counts = torch.unique(values, return_inverse=True, return_counts=True)
    ranks: Tensor = (counts.cumsum(0) - counts / 2).to(values)[place]
    return ranks - ranks.mean()
