"""How often a judge prefers an answer to others (judges/comparing.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, get_args

from posttrain.endpoint.failure import ReplyError
from posttrain.errors import ConfigError
from posttrain.judges.asking import client
from posttrain.judges.comparing import QUESTION, Comparison, Disagreement, compare
from posttrain.rewards.workers.outcome import Scores

# the probability that the answer wins, and whether both orders agreed
Outcome = tuple[float | ReplyError | None, bool | None]


def judge_pairs(
    prompts: list[str],
    completions: list[str],
    opponent: list[str | None] | None = None,
    *,
    endpoint: Mapping[str, Any],
    question: str = QUESTION,
    disagreement: Disagreement = "tie",
    opponents: int | None = None,
    folder: str | None = None,
) -> Scores:
    """Mean probability that an answer wins against the column `opponent`, else against the others to its prompt.

    An answer without a decided comparison abstains; one with a failed comparison is an error.
    `rewards/judge_pairs/agreement` is the share of comparisons in which both orders agreed.

    Settings:
        endpoint: options of the judge's endpoint: the key `model`, and any other key of endpoint/endpoint.py.
        question: instructions to the judge; any text.
        disagreement: name of the verdict where the two orders disagree: tie or abstain.
        opponents: next answers in the circle of a prompt's answers to compare with; at least 1, null compares with all.
        folder: folder that keeps replies and what was spent; null keeps nothing, a run gives its own.
    """
    if disagreement not in get_args(Disagreement) or (opponents is not None and opponents < 1):
        raise ConfigError(f"disagreement={disagreement!r}, opponents={opponents}; write tie or abstain, and at least 1")
    judge = client(endpoint, folder)
    if opponent is not None and any(text is not None for text in opponent):
        outcomes: list[list[Outcome]] = [[] for _ in completions]
        known = [k for k, text in enumerate(opponent) if text is not None]
        asked = [(prompts[k], completions[k], str(opponent[k])) for k in known]
        for k, verdict in zip(known, compare(judge, question, asked, disagreement=disagreement), strict=True):
            outcomes[k].append((verdict.win, verdict.agreed))
        return _scores(outcomes)
    matchups = _matchups(prompts, opponents)
    asked = [(prompts[i], completions[i], completions[j]) for i, j in matchups]
    return _scores(_both_sides(matchups, compare(judge, question, asked, disagreement=disagreement), len(prompts)))


def _matchups(prompts: Sequence[str], opponents: int | None) -> list[tuple[int, int]]:
    """Return the pairs of answers to compare: those to the same prompt, each pair once."""
    groups: dict[str, list[int]] = {}
    for k, prompt in enumerate(prompts):
        groups.setdefault(prompt, []).append(k)
    unique: dict[tuple[int, int], None] = {}
    for group in groups.values():
        n = len(group)
        for step in range(1, min(n - 1, n if opponents is None else opponents) + 1):
            for k in range(n):
                i, j = sorted((group[k], group[(k + step) % n]))
                unique[i, j] = None
    return list(unique)


def _both_sides(matchups: Sequence[tuple[int, int]], verdicts: Sequence[Comparison], count: int) -> list[list[Outcome]]:
    outcomes: list[list[Outcome]] = [[] for _ in range(count)]
    for (i, j), verdict in zip(matchups, verdicts, strict=True):
        outcomes[i].append((verdict.win, verdict.agreed))
        outcomes[j].append((1.0 - verdict.win if isinstance(verdict.win, float) else verdict.win, verdict.agreed))
    return outcomes


def _scores(outcomes: Sequence[Sequence[Outcome]]) -> Scores:
    agreed = [[a for _, a in each if a is not None] for each in outcomes]
    return Scores([_mean(each) for each in outcomes], agreement=[fmean(a) if a else None for a in agreed])


def _mean(outcomes: Sequence[Outcome]) -> float | ReplyError | None:
    if failed := [win for win, _ in outcomes if isinstance(win, ReplyError)]:
        return failed[0]
    wins = [win for win, _ in outcomes if isinstance(win, float)]
    return fmean(wins) if wins else None
