"""Deal the records of a source larger than memory: window after window, each in an order of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from posttrain.data.dataset import Dataset
from posttrain.data.feed import Feed
from posttrain.errors import ConfigError, DataError
from posttrain.records import Record

log = logging.getLogger(__name__)


class StreamFeed(Feed):
    """A feed that holds one window of its source. Within a window it deals as a Feed does within an epoch.

    `encode` makes a window ready to be dealt and returns the records of it that can be used. After the last window the
    source is read again from its start: `epoch` counts the passes before the present one.
    """

    def __init__(self, dataset: Dataset, seed: int, encode: Callable[[Dataset], Dataset], least: int = 1) -> None:
        super().__init__(dataset, seed, least=least)
        assert dataset.windows is not None
        self.windows = dataset.windows
        self.encode = encode
        self.first = f"{dataset.fingerprint}-{self.windows.size}-{self.windows.extent}"
        self.passes = 0
        self.window = 0  # number within the pass
        self.dealt = 0  # records of the window
        self.later = self.windows.read(1)

    @property
    def epoch(self) -> int:
        return self.passes

    @property
    def progress(self) -> float:
        """Number of complete passes, which is known once the next one begins: the length of one is not."""
        return float(self.passes)

    @property
    def fingerprint(self) -> str:
        """Hash of the first window, the rows of a window, and the bytes of the files."""
        return self.first

    def take(self, count: int) -> list[Record]:
        """Deal the next `count` records, or those that are left of the window."""
        while self.dealt >= len(self.dataset):
            self._turn()
        before = self.passes * len(self.dataset) + self.dealt
        records = Feed(self.dataset, self.seed, before, self.least).take(count)
        self.dealt += len(records)
        self.position += len(records)
        return records

    def _turn(self) -> None:
        """Read the next window. One with fewer records than a batch needs is passed over."""
        following = next(self.later, None)
        self.window += 1
        if following is None:
            self.passes, self.window, self.later = self.passes + 1, 0, self.windows.read()
            following = next(self.later)
        self.dataset, self.dealt = self.encode(following), 0
        if len(self.dataset) < self.least:
            log.warning("%s: left out, because a batch needs %d records", self.dataset.name, self.least)
            self.dealt = len(self.dataset)

    def steps_per_epoch(self, count: int) -> int:  # noqa: ARG002
        """Raise ConfigError: the number of records is not known."""
        raise ConfigError(
            f"{self.dataset.name} is streamed, so that the number of its records is not known: set train.steps"
        )

    def state(self) -> dict[str, Any]:
        """Return the place in the source, and the fingerprint of the window there."""
        return {
            "position": self.position,
            "passes": self.passes,
            "window": self.window,
            "size": self.windows.size,
            "dealt": self.dealt,
            "records": self.dataset.fingerprint,
        }

    def restore(self, saved: Any) -> None:
        """Read up to the place of a `state`. DataError if the window there has changed, ConfigError if its size has."""
        if not isinstance(saved, Mapping):
            raise ConfigError("the checkpoint was saved without data.stream; remove it, or start a new run")
        if saved["size"] != self.windows.size:
            raise ConfigError(f"the checkpoint counts windows of {saved['size']} rows: set data.window={saved['size']}")
        self.later = self.windows.read(saved["window"])
        following = next(self.later, None)
        if following is not None:
            self.dataset = self.encode(following)
        if following is None or self.dataset.fingerprint != saved["records"]:
            raise DataError(
                f"{self.dataset.name}: the records have changed since the checkpoint; restore the source, or start a "
                "new run from the model in the checkpoint"
            )
        self.position, self.passes = saved["position"], saved["passes"]
        self.window, self.dealt = saved["window"], saved["dealt"]
