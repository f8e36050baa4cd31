"""Preference pairs, ordered by a judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from posttrain.endpoint.failure import ReplyError
from posttrain.errors import RewardError
from posttrain.judges.asking import client
from posttrain.judges.comparing import QUESTION, compare
from posttrain.records import Pair
from posttrain.turns import answer_text, last_user_message


def label(
    pairs: Sequence[Pair],
    *,
    endpoint: Mapping[str, Any],
    question: str = QUESTION,
    folder: str | Path | None = None,
    max_error_rate: float = 0.05,
) -> list[Pair]:
    """Return the pairs that the judge decides the same way in both orders, with the preferred answer first.

    With a `folder` no reply is lost: a second call requests only what is missing. Raises RewardError if more than
    `max_error_rate` of the pairs could not be judged.
    """
    asked = [(last_user_message(p.prompt), answer_text(p.chosen), answer_text(p.rejected)) for p in pairs]
    comparisons = compare(client(endpoint, folder), question, asked)
    failed = [(p, c.win) for p, c in zip(pairs, comparisons, strict=True) if isinstance(c.win, ReplyError)]
    if len(failed) > max_error_rate * len(pairs):
        pair, first = failed[0]
        raise RewardError(
            f"the judge failed on {len(failed)} of {len(pairs)} pairs, more than max_error_rate={max_error_rate:g} "
            f"allows. The first failure, at {pair.where or f'pair {pair.id}'}: {first}"
        )
    wins = [(p, c.win) for p, c in zip(pairs, comparisons, strict=True)]
    swapped = [replace(p, chosen=p.rejected, rejected=p.chosen) if w == 0.0 else p for p, w in wins]
    return [p for p, (_, w) in zip(swapped, wins, strict=True) if w in (0.0, 1.0)]
