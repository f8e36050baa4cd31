"""Rows of a dataset on the Hugging Face hub. Needs the package datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from posttrain.data.readers.arrow_values import arrow_row
from posttrain.errors import DataError, MissingExtraError

SETTINGS = ("config", "split", "revision")


def hub_rows(name: str, settings: Mapping[str, str], *, stream: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield rows of one split, "train" by default, with `where` such as "owner/name[split]:17".

    `stream`: download while reading, and keep nothing on the disk.
    """
    try:
        import datasets
    except ImportError:
        raise MissingExtraError("reading datasets from the hub", "data") from None
    split = settings.get("split", "train")
    try:
        how = {"streaming": True} if stream else {}
        rows = datasets.load_dataset(
            name, settings.get("config"), split=split, revision=settings.get("revision"), **how
        )
    except ConnectionError:
        raise DataError(
            f"{name}: the hub cannot be reached and the dataset is not cached; go online once, or give a file"
        ) from None
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise DataError(f"{name}: {_one_line(error)}; write {name}:config=NAME,split=NAME if it has several") from None
    number = 0
    try:
        for number, row in enumerate(rows, 1):
            yield f"{name}[{split}]:{number}", arrow_row(row)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        where = f"{name}: reading stopped after row {number}"
        raise DataError(f"{where}: {_one_line(error)}; try again, with --resume if the run has begun") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")
