"""Datasets of other trainers as sources of the run file: one path, or several that are mixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from posttrain.convert.draft import Draft


@dataclass(frozen=True)
class Dataset:
    """A path as posttrain names it, the columns that it renames (ours -> theirs), and its share in a mixture."""

    path: str
    columns: Mapping[str, str] = field(default_factory=dict)
    weight: float | None = None


def set_datasets(draft: Draft, section: str, datasets: Sequence[Dataset], origin: str) -> None:
    """Set `section` (data, evaluate.data) to one dataset or to a mixture, unless it is set."""
    if has_data(draft, section) or not datasets:
        return
    if len(datasets) == 1:
        draft.set(f"{section}.path", datasets[0].path, origin)
        if datasets[0].columns:
            draft.set(f"{section}.columns", dict(datasets[0].columns), f"{origin}: its columns")
        return
    draft.set(f"{section}.mix", [_entry(dataset) for dataset in datasets], origin)


def has_data(draft: Draft, section: str) -> bool:
    """Whether a section has its data."""
    return any(f"{section}{key}" in draft.values for key in ("", ".path", ".mix"))


def located(name: str, config: Any = None, split: Any = None) -> str:
    """Return a dataset of the hub as posttrain names it: `owner/name:config=NAME,split=NAME`."""
    options = [f"config={config}"] * bool(config) + [f"split={split}"] * bool(split and split != "train")
    return f"{name}:{','.join(options)}" if options else name


def _entry(dataset: Dataset) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": dataset.path}
    if dataset.columns:
        entry["columns"] = dict(dataset.columns)
    if dataset.weight is not None:
        entry["weight"] = dataset.weight
    return entry
