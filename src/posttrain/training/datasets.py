"""The records of a run: each source of the run file is read once, and may be read before the models are loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from posttrain.data.dataset import Dataset, Reads
from posttrain.data.mixture import load_mixture
from posttrain.data.questions import without
from posttrain.data.under import prompt_text
from posttrain.training.source import read_source

if TYPE_CHECKING:
    from posttrain.config.schema import Data


WINDOW = 10_000  # rows
Tasks = Callable[[str, int | None], Any]


class Datasets:
    """What has been read, by source and kind.

    `given`: rows that were given in Python, by name. `tasks`: those of the run's environment, by source and number;
    None for another source.
    """

    def __init__(self, given: Mapping[str, Any] = MappingProxyType({}), tasks: Tasks = lambda *_: None) -> None:
        self.given = given
        self.tasks = tasks
        self._read: dict[tuple[str, str], Dataset] = {}

    def read(self, source: Data, kind: str, reads: Reads | None = None) -> Dataset:
        """Read records as the run file describes them, if they have not been read. `reads`: as in data.dataset.load."""
        key = (source.model_dump_json(), kind)
        if key not in self._read:
            read = self._loaded(source, kind, reads)
            self._read[key] = without(read, source.filter) if source.filter else read
        return self._read[key]

    def _loaded(self, source: Data, kind: str, reads: Reads | None) -> Dataset:
        how: dict[str, Any] = {
            "columns": source.columns,
            "answer_after": source.answer_after,
            "size": source.size,
            "chat": source.chat,
            "train_on": source.train_on,
            "order": source.order,
            "invalid": source.invalid,
            "truncate": source.truncate,
            "keep": source.keep,
            "system": prompt_text(source.system),
            "reads": reads,
        }
        if (view := source.feedback) is not None:
            how["feedback"] = {"attribute": view.attribute, "labels": view.labels, "gap": view.gap}
        if source.stream:
            how["window"] = source.window or WINDOW
        if not source.mix:
            return self._source(source.path, kind, **how)
        sources = [
            {"path": part.path, "weight": part.weight, "size": part.size, "columns": part.columns}
            for part in source.mix
        ]
        return load_mixture(sources, kind, read=self._source, **how)

    def _source(self, spec: str, kind: str, *, size: int | None = None, **how: Any) -> Dataset:
        made = self.tasks(spec, size)
        given = self.given if made is None else {**self.given, spec: made}
        return read_source(given, spec, kind, size=size, **how)
