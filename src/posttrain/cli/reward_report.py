"""The report of `posttrain eval` on a reward model or a judge: --by COLUMN, --report FOLDER."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posttrain.errors import ConfigError, DataError, suggestion

if TYPE_CHECKING:
    from posttrain.data.dataset import Dataset
    from posttrain.launch.measure import Measured

KINDS = ("pairs", "candidates")
SUBSET = "subset"  # of RewardBench; its groups are reported without being asked for


def check(kind: str, by: Sequence[str], folder: Path | None, data: Dataset) -> None:
    """Raise, before a model is loaded, for options that the data cannot answer."""
    from posttrain.errors import MissingExtraError
    from posttrain.evaluation.reward_models import figure

    if kind not in KINDS:
        if by or folder is not None:
            raise ConfigError(f"--{'by' if by else 'report'} is for {' and '.join(KINDS)}, and the data are {kind}")
        return
    known = {name for r in data for name in getattr(r, "columns", {})}
    for column in by:
        if column not in known:
            raise DataError(f"--by {column}: no row of {data.name} has this column{suggestion(column, sorted(known))}")
    if folder is not None and not figure.available():
        raise MissingExtraError("the figure of a report", "plot")


@dataclass(frozen=True)
class Made:
    """The report on one model, as plain data and as lines of text."""

    data: dict[str, Any]
    lines: list[str]


def make(
    kind: str, models: Sequence[str], results: Sequence[Measured], by: Sequence[str], folder: Path | None
) -> list[Made]:
    """Report on what each model says of pairs or candidates; nothing for other kinds.

    Writes into `folder` if there is one, for a second model into `folder`/against.
    """
    from posttrain.evaluation.reward_models import report

    if kind not in KINDS:
        return []
    of = report.of_pairs if kind == "pairs" else report.of_candidates
    made = []
    for number, (model, measured) in enumerate(zip(models, results, strict=True)):
        found = of(measured.judged, tuple(dict.fromkeys((SUBSET, *by))))
        before = f"{model}: " if len(models) > 1 else ""
        said = [before + line for line in report.lines(found)[1:]]
        if folder is not None:
            said += map(str, _write(found, folder / "against" if number else folder, model))
        made.append(Made(report.as_data(found), said))
    return made


def _write(found: Mapping[str, Any], folder: Path, title: str) -> list[Path]:
    """Write report.json, report.md and the figure."""
    from posttrain.evaluation.reward_models import figure, report
    from posttrain.runs import durable

    files = {
        "report.json": json.dumps(report.as_data(found), indent=2, ensure_ascii=False) + "\n",
        "report.md": report.markdown(found, title),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        durable.write_text(folder / name, text)
    return [*(folder / name for name in files), *figure.draw(found, folder, title)]
