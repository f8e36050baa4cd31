"""PKU-SafeRLHF's pairs: {"response_0", "response_1", "better_response_id", "safer_response_id", "is_response_0_safe"}.

Others have `preference` in place of `better_response_id`: 0 or 1, the place of the preferred answer.
"""

from __future__ import annotations

from posttrain.data.cells import Cells
from posttrain.errors import DataError

ANSWERS = ("response_0", "response_1")
ORDERS = (
    "better_response_id",
    "preference",
    "safer_response_id",
)  # the first of them that a row has says which is best
SAFE = "is_response_{}_safe"


def preferences(cells: Cells) -> None:
    """Read the better answer as chosen; the safety of both goes to the losses."""
    order = next((name for name in ORDERS if name in cells), None)
    if cells.kind != "pairs" or order is None or not all(name in cells for name in ANSWERS) or "chosen" in cells:
        return
    best = _place(cells.take(order), order)
    for name, place in (("chosen", best), ("rejected", 1 - best)):
        cells.put(name, cells.take(ANSWERS[place]))
        if SAFE.format(place) in cells:
            cells.put(f"{name}_safe", cells.take(SAFE.format(place)))
    cells.note(f"the answers are read as 'chosen' and 'rejected' by {order!r}{_other_order(cells, order)}")


def _other_order(cells: Cells, order: str) -> str:
    """Say how to read the order by safety, where a row has both."""
    other = "safer_response_id"
    if other not in cells or order == other:
        return ""
    return f"; for the order by safety set columns: {{{order}: {other}}}"


def _place(cell: object, name: str) -> int:
    if isinstance(cell, bool) or str(cell) not in ("0", "1"):
        raise DataError(
            f"{name!r} must be 0 or 1, the place of the better answer among {' and '.join(ANSWERS)}: {cell!r}"
        )
    return int(str(cell))
