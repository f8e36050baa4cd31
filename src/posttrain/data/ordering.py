"""The order of the records in an epoch (shuffled, as in the file, by a column), and its share of a mixture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from posttrain.errors import DataError
from posttrain.records import Record
from posttrain.seeds import seed_for


@dataclass(frozen=True)
class Mixture:
    """Sources that are mixed by weight. An epoch ends when the source that is the first to be exhausted is seen once.

    Of a larger source each epoch takes the next records of its shuffled order, which is shuffled again when less than
    that is left. `weights` of the sources; `source_of`: the source of each record, by id.
    """

    weights: tuple[float, ...]
    source_of: Mapping[int, int]

    def shares(self, ids: Sequence[int]) -> list[int]:
        """Return how many of these records an epoch takes from each source."""
        sizes = [0] * len(self.weights)
        for i in ids:
            sizes[self.source_of[i]] += 1
        whole = min(n / w for n, w in zip(sizes, self.weights, strict=True))
        return [min(n, max(1, round(whole * w))) if n else 0 for n, w in zip(sizes, self.weights, strict=True)]

    def chosen(self, ids: Sequence[int], epoch: int, seed: int) -> list[int]:
        """Return the indices of the records of an epoch: those of each source evenly spread over it."""
        places: list[tuple[float, int, int]] = []
        for source, share in enumerate(self.shares(ids)):
            own = [index for index, i in enumerate(ids) if self.source_of[i] == source]
            cycle, window = divmod(epoch, max(1, len(own) // max(1, share)))
            order = _shuffled(own, ids, cycle, seed)
            taken = order[window * share : (window + 1) * share]
            places += [((j + 0.5) / share, source, index) for j, index in enumerate(taken)]
        return [index for _, _, index in sorted(places)]


def ordered(
    ids: Sequence[int], epoch: int, seed: int, mixture: Mixture | None, difficulty: Mapping[int, float] | None
) -> list[int]:
    """Return the indices of the records of an epoch, shuffled by id, epoch and seed alone, or the easiest first."""
    if mixture is None:
        chosen = _shuffled(range(len(ids)), ids, epoch, seed)
    else:
        chosen = mixture.chosen(ids, epoch, seed)
    return chosen if difficulty is None else sorted(chosen, key=lambda index: difficulty[ids[index]])


def _shuffled(indices: Sequence[int], ids: Sequence[int], epoch: int, seed: int) -> list[int]:
    ranks = {index: seed_for(seed, "order", epoch, ids[index]) for index in indices}
    return sorted(indices, key=ranks.__getitem__)


def difficulties(records: Sequence[Record], order: str) -> dict[int, float] | None:
    """Return what the records are sorted by: None for "shuffled", their place for "file", else the column `order`."""
    if order == "shuffled":
        return None
    if order == "file":
        return {r.id: float(place) for place, r in enumerate(records)}
    return {r.id: _number(r.columns.get(order), order, r.where) for r in records}


def _number(cell: Any, column: str, where: str) -> float:
    try:
        number = float(cell)
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number):
        raise DataError(
            f"{where}: the column {column!r}, by which the data is ordered, must be a number, not {cell!r}; set order "
            "to a column of numbers, file or shuffled"
        )
    return number
