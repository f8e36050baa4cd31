"""trackio: a local database, which `trackio show` displays. TRACKIO_DIR says where it lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.trackers.tracker import COLUMNS, About, Row

PACKAGE = "trackio"


class Trackio:
    """A run of trackio."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def metrics(self, step: int, numbers: Mapping[str, float]) -> None:
        self._run.log(dict(numbers), step=step)

    def samples(self, step: int, rows: Sequence[Row]) -> None:
        import pandas
        import trackio

        self._run.log({"samples": trackio.Table(dataframe=pandas.DataFrame(list(rows), columns=list(COLUMNS)))}, step)

    def finish(self, *, failed: bool) -> None:
        del failed  # trackio does not record it
        self._run.finish()


def start(about: About, _step: int) -> Trackio:
    """Begin a run of trackio, or continue that of the same name."""
    import trackio

    config = {key: value for key, value in about.config.items() if not key.startswith("_")}
    return Trackio(trackio.init(project=about.project, name=about.name, config=config, resume="allow", embed=False))
