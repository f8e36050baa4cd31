"""The tokens of an episode one by one, as far as a run knows them when it writes its samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from posttrain.records import Episode
from posttrain.runs.metrics import finite

TokenTexts = Callable[[Sequence[int]], list[str]]  # the text of each token


def texts_of(tokenizer: Any, tokens: Sequence[int]) -> list[str]:
    """Return the text of each token; of one that is a part of a character the replacement character."""
    return list(tokenizer.batch_decode([[token] for token in tokens]))


def per_token(episode: Episode, texts: TokenTexts) -> dict[str, list[Any]]:
    """Return lists with one entry for each token behind the prompt; a list that holds nothing is left out.

    `text`; `logp`: as sampled, in nats, None where no model sampled it; `trained`: 1 where a loss may use it;
    `segment`: which turn it is in; `version`: steps behind the weights that sampled it; a list for each reward that
    judges turns or spans, under its name.
    """
    turns = episode.segments
    lists: dict[str, list[Any]] = {
        "text": texts([t for s in turns for t in s.tokens]),
        "logp": [None if x is None else finite(round(x, 4)) for s in turns for x in s.logp or [None] * len(s.tokens)],
        "trained": [int(s.trained and s.logp is not None) for s in turns for _ in s.tokens],
        "segment": [n if len(turns) > 1 else None for n, s in enumerate(turns) for _ in s.tokens],
        "version": [v for s in turns for v in s.versions or [None] * len(s.tokens)],
    }
    lists |= {name: [finite(round(x, 4)) for x in credit] for name, credit in episode.credits.items()}
    return {name: values for name, values in lists.items() if any(x is not None for x in values)}
