"""From the columns of any known format to ours: one small translation after the other, each on what it recognises."""

from __future__ import annotations

from posttrain.data.cells import Cells
from posttrain.data.formats import (
    alpaca,
    alternatives,
    arguments,
    beavertails,
    media,
    openai,
    other_names,
    sharegpt,
    turns_before,
    two_responses,
)


def translate(cells: Cells) -> None:
    """Replace the columns of known formats by ours. Raises DataError where a column cannot be what its name says."""
    alternatives.drop_nulls(cells)
    media.refuse(cells)
    openai.preferences(cells)
    two_responses.preferences(cells)
    arguments.take(cells)
    sharegpt.conversations(cells)
    alpaca.instructions(cells)
    beavertails.labels(cells)
    other_names.rename(cells)
    sharegpt.answers_inside(cells)
    turns_before.put(cells)
