"""Answers that exploit a reward model: it prefers them, and what it stands for does not."""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.data.collate import groups
from posttrain.records import Episode, Pair
from posttrain.selection.answers import ranked, reward_of, scored
from posttrain.selection.pairs import pair


def exploited(judged: Sequence[Episode], proxies: Sequence[Episode]) -> list[Pair]:
    """Return a pair for each prompt at which the favourite of the reward model is worse than another answer.

    The best answer comes first, the favourite second. `judged` and `proxies` are the same answers, with the rewards
    that count and with those of the model.
    """
    found = []
    known = scored(judged)
    by_model = [p for j, p in zip(judged, proxies, strict=True) if j.reward is not None]
    for answers, scores in zip(groups(known), groups(by_model), strict=True):
        favourites = ranked(scores)
        favourite = answers[scores.index(favourites[0])] if favourites else None
        best = ranked(answers)[0]
        if favourite is not None and reward_of(best) > reward_of(favourite):
            found.append(pair(best, favourite))
    return found
