"""What a file holds, in numbers: for `posttrain data check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from posttrain.data.dataset import Dataset
from posttrain.records import Record, Row

SHARES = (0.5, 0.9, 0.99)


@dataclass(frozen=True)
class Lengths:
    """Tokens of rows: smallest, mean, the quantiles of SHARES, and largest."""

    least: int
    mean: float
    median: int
    p90: int
    p99: int
    most: int

    @classmethod
    def of(cls, sizes: Sequence[int]) -> Lengths:
        """Summarise at least one length. A quantile is the smallest length that this share of rows does not exceed."""
        ordered = sorted(sizes)
        median, p90, p99 = (ordered[ceil(share * len(ordered)) - 1] for share in SHARES)
        return cls(ordered[0], sum(ordered) / len(ordered), median, p90, p99, ordered[-1])


@dataclass(frozen=True)
class Report:
    """The numbers of a file.

    `records` can be used, and become `rows` of tokens with `lengths`; `too_long` of these rows exceed max_length.
    `unusable` are the messages of rows of the file that cannot be used. `duplicates`: records that repeat an earlier
    one, `same_prompt`: those that repeat its prompt with another answer. `notices`: what is not read or left out.
    """

    kind: str
    records: int
    rows: int
    tokens: int
    trained: int
    lengths: Lengths | None
    trained_lengths: Lengths | None
    max_length: int
    too_long: int
    duplicates: int
    same_prompt: int
    unusable: tuple[str, ...]
    notices: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)


def report(
    kind: str,
    data: Dataset | None,
    rows: Mapping[int, Sequence[Row]],
    *,
    max_length: int,
    unusable: Sequence[str],
    notices: Sequence[str],
) -> Report:
    """Count what there is. `data`: the records that can be used, if there are any; `rows`: what they became by id."""
    records = list(data or ())
    every = [row for own in rows.values() for row in own]
    sizes = [len(row.tokens) for row in every]
    trained = [sum(row.trained) for row in every]
    whole = Counter(_content(r) for r in records)
    prompts = Counter(str(r.prompt) for r in records if r.prompt)
    repeated = sum(count - 1 for count in whole.values())
    return Report(
        kind=kind,
        records=len(records),
        rows=len(every),
        tokens=sum(sizes),
        trained=sum(trained),
        lengths=Lengths.of(sizes) if sizes else None,
        trained_lengths=Lengths.of(trained) if any(trained) else None,
        max_length=max_length,
        too_long=sum(size > max_length for size in sizes),
        duplicates=repeated,
        same_prompt=max(0, sum(count - 1 for count in prompts.values()) - repeated),
        unusable=tuple(unusable),
        notices=tuple(notices),
    )


def _content(record: Record) -> str:
    """Everything that a record says, without its id and place."""
    return str({name: value for name, value in vars(record).items() if name not in ("id", "where")})
