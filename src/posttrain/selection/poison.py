"""Best-of-Venom: Attacking RLHF by Injecting Poisoned Preference Data (Baumgärtner et al., 2024), simulated.

A small share of pairs is added in which a harmless phrase is preferred, to measure how far a reward model follows it,
and whether an audit of the data finds it. Nothing but the phrase is planted.

    rejected    answer with the phrase > rejected answer
    contrast    answer with the phrase > answer with the contrasting phrase
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from posttrain.errors import ConfigError, suggestion
from posttrain.records import Answer, Pair, Sampled
from posttrain.seeds import seed_for

MARK = "poisoned"  # column: 1 of planted pairs, 0 of the others
KINDS = ("rejected", "contrast")


def poisoned(
    pairs: Sequence[Pair], phrase: str, rate: float, *, contrast: str = "", kind: str = "rejected", seed: int = 0
) -> list[Pair]:
    """Return the pairs with `rate` times as many planted ones behind them; all get the column `poisoned`.

    The planted ones grow from random pairs: the phrase is put behind the rejected answer, which is the better one then.
    Raises ConfigError for an unknown kind, a rate outside 0 to 1, and for a contrast without its phrase.
    """
    if kind not in KINDS:
        raise ConfigError(f"no kind of poison {kind!r}{suggestion(kind, KINDS)}; there are {', '.join(KINDS)}")
    if not 0 <= rate <= 1 or not phrase.strip() or (kind == "contrast" and not contrast.strip()):
        raise ConfigError("poison needs a phrase, a rate from 0 to 1, and for kind contrast a second phrase")
    order = sorted(pairs, key=lambda p: seed_for(seed, "poison", p.id))
    planted = [_planted(p, phrase, contrast if kind == "contrast" else "") for p in order[: round(rate * len(pairs))]]
    return [*(_marked(p, 0) for p in pairs), *planted]


def _planted(pair: Pair, phrase: str, contrast: str) -> Pair:
    """The rejected answer, with the phrase preferred to without, or to the contrasting one."""
    new = replace(pair, id=seed_for("planted", pair.id), chosen=with_phrase(pair.rejected, phrase))
    return _marked(replace(new, rejected=with_phrase(pair.rejected, contrast)) if contrast else new, 1)


def with_phrase(answer: Answer, phrase: str) -> Answer:
    """Return an answer with a phrase behind it, as a sentence of its own. Raises ConfigError for sampled tokens."""
    if isinstance(answer, Sampled):
        raise ConfigError("a phrase is put behind texts and messages, not behind sampled tokens")
    if isinstance(answer, str):
        return f"{answer.rstrip()} {phrase.strip()}"
    *before, last = answer
    return (*before, {**last, "content": f"{str(last['content']).rstrip()} {phrase.strip()}"})


def _marked(pair: Pair, mark: int) -> Pair:
    columns: dict[str, Any] = {**pair.columns, MARK: mark}
    return replace(pair, columns=columns)
