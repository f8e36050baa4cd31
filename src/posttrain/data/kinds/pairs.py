"""Pairs: two answers to one prompt, the preferred one first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from posttrain.core.kinds import Kind
from posttrain.data.cells import Cells, check_answers, check_different, prompt_and_answers
from posttrain.data.chat.messages import same_form, split_common
from posttrain.data.formats import turns_before
from posttrain.data.numeric_columns import numbers
from posttrain.records import Pair, Row
from posttrain.seeds import seed_for

if TYPE_CHECKING:
    from posttrain.data.chat.encode import Encoder


def read(cells: Cells, identity: int, where: str) -> Pair:
    """Read a pair; without a prompt, it is the beginning that both answers share."""
    if "prompt" in cells:
        prompt, chosen, rejected = prompt_and_answers(cells, "chosen", "rejected")
    else:
        whole = [cells.turns(name) for name in ("chosen", "rejected")]
        check_different(*whole)
        prompt, chosen, rejected = split_common(*whole)
        cells.put("prompt", prompt)
        turns_before.put(cells)
        prompt, chosen, rejected = same_form(cells.turns("prompt"), chosen, rejected, chat=cells.chat)
        check_answers(prompt, chosen=chosen, rejected=rejected)
    check_different(chosen, rejected)
    return Pair(identity, prompt, chosen, rejected, cells.rest, where)


def encode(encoder: Encoder, r: Pair, wanted: Mapping[str, str]) -> list[Row]:
    """Two rows: chosen, rejected. A column `chosen_reward` is the `reward` of the first."""
    sides = (("chosen", r.id, r.chosen), ("rejected", seed_for("rejected", r.id), r.rejected))
    return [encoder.row(i, r, answer, **numbers(r.columns, wanted, side=side)) for side, i, answer in sides]


KIND = Kind(
    "pairs",
    Pair,
    read,
    encode,
    "prompt, chosen and rejected",
    frozenset({"chosen", "chosen_response", "preferred_output", "better_response_id", "response_1"}),
    brings=frozenset({"pairs"}),
    paired=True,
    sides=("", "chosen_"),
    readers="preference/dpo and reward/bradley_terry",
)
