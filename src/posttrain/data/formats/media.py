"""Columns of images, audio and video: posttrain reads text only."""

from __future__ import annotations

from posttrain.data.cells import Cells
from posttrain.errors import DataError

COLUMNS = ("image", "images", "audio", "audios", "video", "videos")


def refuse(cells: Cells) -> None:
    """Raise DataError where a column of media holds something: trained without it, the text would be a lie."""
    for name in COLUMNS:
        if name in cells and cells.rest[name] not in (None, "", [], {}):
            raise DataError(
                f"the column {name!r} holds media, and posttrain reads text only; leave such rows out (invalid: drop), "
                "or remove the column if the text does not speak of it"
            )
        cells.rest.pop(name, None)
