"""LoRA settings of other trainers, which multiply adapters by the same factor under other names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from posttrain.convert.draft import Draft

EVERYWHERE = ("all", "all-linear", ["all"], ["all-linear"])


def adapters(
    draft: Draft,
    *,
    rank: tuple[Any, str],
    alpha: tuple[Any, str],
    targets: tuple[Any, str],
    dropout: tuple[Any, str] = (0, ""),
    rank_stabilised: bool = False,
) -> None:
    """Set `model.lora` from values and their origins. Raises nothing: what has no counterpart becomes a remark."""
    draft.set("model.lora.rank", int(rank[0]), rank[1])
    scale, origin = float(alpha[0]), alpha[1]
    if rank_stabilised:  # peft multiplies by alpha / sqrt(rank), posttrain by alpha / rank
        scale, origin = round(scale * math.sqrt(int(rank[0])), 6), f"{origin} x the root of the rank (rsLoRA)"
    draft.set("model.lora.alpha", scale, origin)
    if targets[0] not in EVERYWHERE:
        names: Sequence[str] = [targets[0]] if isinstance(targets[0], str) else list(targets[0])
        draft.set("model.lora.targets", list(names), targets[1])
    if dropout[0] and float(dropout[0]) > 0:
        draft.lose(dropout[1], dropout[0], "adapters have no dropout")
