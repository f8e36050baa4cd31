"""Answers as the arms of a bandit: what each answer to a prompt has earned so far, and what it might be worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt
from statistics import fmean

from posttrain.data.collate import groups
from posttrain.records import Ranking, Rollout
from posttrain.selection.answers import answer, identity


def optimistic(rewards: Sequence[float], width: float) -> float:
    """R̂ + min(1, c/√n) of an arm with n rewards in [0, 1], c = width; 1 for one that nobody has tried."""
    return fmean(rewards) + min(1.0, width / sqrt(len(rewards))) if rewards else 1.0


def arms(rollouts: Iterable[Rollout], width: float) -> list[Ranking]:
    """All different answers to each prompt, the most promising first, with what they might be worth as `reward`."""
    return [_arms(group, width) for group in groups(rollouts)]


def _arms(group: Sequence[Rollout], width: float) -> Ranking:
    earned: dict[tuple[int, ...], list[float]] = {}
    first: dict[tuple[int, ...], Rollout] = {}
    for r in group:
        first.setdefault(r.tokens, r)
        earned.setdefault(r.tokens, []).extend([] if r.reward is None else [r.reward])
    worth = {tokens: optimistic(rewards, width) for tokens, rewards in earned.items()}
    order = sorted(worth, key=lambda tokens: -worth[tokens])
    prompt = group[0].prompt
    columns = {"reward": [worth[tokens] for tokens in order]}
    answers = tuple(answer(first[tokens]) for tokens in order)
    return Ranking(identity(*group), prompt.prompt, answers, columns, prompt.where)
