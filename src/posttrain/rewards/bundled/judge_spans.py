"""A critic's numbers for the parts of an answer that it quotes (judges/spans.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posttrain.endpoint.failure import ReplyError
from posttrain.judges.asking import client
from posttrain.judges.spans import QUESTION, Critique, critique
from posttrain.rewards.verdicts import Spans
from posttrain.rewards.workers.outcome import Scores


def judge_spans(
    prompts: list[str],
    completions: list[str],
    *,
    endpoint: Mapping[str, Any],
    question: str = QUESTION,
    good: float = 1.0,
    bad: float = -1.0,
    folder: str | None = None,
) -> Scores:
    """A number for each part that the critic quotes, 0 for the others: dense rewards beside that of the whole answer.

    Abstains where the model refuses. `rewards/judge_spans/missed` is the number of quotes that are not in the answer.

    Settings:
        endpoint: options of the critic's endpoint: the key `model`, and any other key of endpoint/endpoint.py.
        question: instructions to the critic; any text.
        good: number of a part that is good; 0 or more.
        bad: number of a part that is bad; 0 or less.
        folder: folder that keeps replies and what was spent; null keeps nothing, a run gives its own.
    """
    found = critique(client(endpoint, folder), question, list(zip(prompts, completions, strict=True)))
    scores: list[Spans | ReplyError | None] = []
    for each in found:
        if isinstance(each, Critique):
            scores.append(Spans((start, end, good if praised else bad) for start, end, praised in each.parts))
        else:
            scores.append(each)
    return Scores(scores, missed=[float(c.missed) if isinstance(c, Critique) else None for c in found])
