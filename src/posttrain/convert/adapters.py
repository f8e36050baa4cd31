"""LoRA settings of other trainers, which multiply adapters by the same factor under other names."""

from __future__ import annotations

from typing import Any

from posttrain.convert.draft import Draft
from posttrain.convert.values import listed

EVERYWHERE = ("all", "all-linear", ["all"], ["all-linear"])


def adapters(
    draft: Draft,
    *,
    rank: tuple[Any, str],
    alpha: tuple[Any, str],
    targets: tuple[Any, str],
    dropout: tuple[Any, str] = (0, ""),
    rslora: tuple[Any, str] = (False, ""),
    in_full: tuple[Any, str] = (None, ""),
) -> None:
    """Set `model.lora` from values and their origins. What has no counterpart becomes a remark."""
    draft.set("model.lora.rank", int(rank[0]), rank[1])
    draft.set("model.lora.alpha", float(alpha[0]), alpha[1])
    if rslora[0]:
        draft.set("model.lora.rslora", True, rslora[1])
    if in_full[0]:
        draft.set("model.lora.modules_to_save", listed(in_full[0]), in_full[1])
    if targets[0] not in EVERYWHERE:
        draft.set("model.lora.targets", listed(targets[0]), targets[1])
    if dropout[0] and float(dropout[0]) > 0:
        draft.lose(dropout[1], dropout[0], "adapters have no dropout")
