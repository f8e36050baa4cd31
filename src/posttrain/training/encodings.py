"""The rows of a run: each dataset is encoded once, and may be encoded before the models are loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from posttrain.data.dataset import Dataset
from posttrain.data.encoding import Encoded, encode_all
from posttrain.data.notices import Notices

if TYPE_CHECKING:
    from posttrain.data.chat.encode import Encoder
    from posttrain.records import Prompt, Record

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Wanted:
    """What a dataset becomes: rows of its kind, with `columns` as tensors, or prompts with `room` behind them."""

    data: Dataset
    kind: str
    columns: tuple[tuple[str, str], ...] = ()
    room: int | None = None  # tokens of an answer; None makes rows


@dataclass(frozen=True)
class Done:
    """A dataset that is encoded, and what was noticed."""

    encoded: Encoded[Any]
    notices: Notices


class Encodings:
    """Encodes datasets. What was encoded ahead of time is handed out once, so that nothing is encoded twice."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._ahead: dict[Wanted, Done] = {}

    def ahead(self, wanted: Wanted, progress: Progress) -> None:
        """Encode a dataset that will be asked for. Raises DataError for rows that cannot be used."""
        self._ahead[wanted] = self._encode(wanted, progress)

    def take(self, wanted: Wanted, progress: Progress) -> Done:
        """Return what a dataset becomes."""
        return self._ahead.pop(wanted, None) or self._encode(wanted, progress)

    def _encode(self, wanted: Wanted, progress: Progress) -> Done:
        encoded = encode_all(wanted.data, lambda record: self._one(wanted, record), progress)
        counts = self.encoder.notices.counts
        noticed = Notices(dict(counts))
        counts.clear()
        return Done(encoded, noticed)

    def _one(self, wanted: Wanted, record: Record) -> Any:
        truncate = wanted.data.truncate
        if wanted.room is not None:
            return self.encoder.prompt(cast("Prompt", record), wanted.room, truncate)
        return self.encoder.rows(record, wanted.kind, dict(wanted.columns), truncate)
