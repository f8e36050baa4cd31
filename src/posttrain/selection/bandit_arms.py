"""Answers as the arms of a bandit: their rewards so far, and an optimistic estimate of their value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt
from statistics import fmean

from posttrain.data.collate import groups
from posttrain.records import Episode, Ranking
from posttrain.selection.answers import answer, identity


def optimistic(rewards: Sequence[float], width: float) -> float:
    """Upper confidence bound R̂ + min(1, c/√n) of an arm with n rewards in [0, 1], c = width; 1 for an untried arm."""
    return fmean(rewards) + min(1.0, width / sqrt(len(rewards))) if rewards else 1.0


def arms(rollouts: Iterable[Episode], width: float) -> list[Ranking]:
    """Return the different answers to each prompt, ranked by their optimistic estimates, which are the `reward`."""
    return [_arms(group, width) for group in groups(rollouts)]


def _arms(group: Sequence[Episode], width: float) -> Ranking:
    earned: dict[tuple[int, ...], list[float]] = {}
    first: dict[tuple[int, ...], Episode] = {}
    for r in group:
        first.setdefault(r.tokens, r)
        earned.setdefault(r.tokens, []).extend([] if r.reward is None else [r.reward])
    worth = {tokens: optimistic(rewards, width) for tokens, rewards in earned.items()}
    order = sorted(worth, key=lambda tokens: -worth[tokens])
    prompt = group[0].prompt
    columns = {"reward": [worth[tokens] for tokens in order]}
    answers = tuple(answer(first[tokens]) for tokens in order)
    return Ranking(identity(*group), prompt.prompt, answers, columns, prompt.where)
