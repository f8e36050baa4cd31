"""The share of a rubric that an answer meets, by a judge (judges/rubric.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posttrain.endpoint.failure import ReplyError
from posttrain.judges.asking import client
from posttrain.judges.rubric import QUESTION, check_criteria, parse_rubric, score
from posttrain.rewards.workers.outcome import Scores


def judge_rubric(
    prompts: list[str],
    completions: list[str],
    rubric: list[Any] | None = None,
    *,
    endpoint: Mapping[str, Any],
    criteria: Any = None,
    question: str = QUESTION,
    folder: str | None = None,
) -> Scores:
    """Weighted share of the criteria that an answer meets, from 0 to 1: of the column `rubric`, else of `criteria`.

    Abstains where there is no rubric and where the model refuses. `rewards/judge_rubric/criterion_K` is how often the
    K-th of `criteria` is met.

    Settings:
        endpoint: options of the judge's endpoint: the key `model`, and any other key of endpoint/endpoint.py.
        criteria: rubric of all prompts: any {criterion: weight}, or a list of criteria with equal weights; null: none.
        question: instructions to the judge; any text.
        folder: folder that keeps replies and what was spent; null keeps nothing, a run gives its own.
    """
    shared = None if criteria is None else parse_rubric(criteria, "criteria")
    given = rubric or [None] * len(completions)
    rubrics = [shared if own is None else parse_rubric(own, "the column rubric") for own in given]
    known = {k: r for k, r in enumerate(rubrics) if r is not None}
    asked = [(prompts[k], completions[k], r) for k, r in known.items()]
    verdicts = check_criteria(client(endpoint, folder), question, asked)
    scores: list[float | ReplyError | None] = [None] * len(completions)
    curves: dict[str, list[float | None]] = {
        f"criterion_{j}": [None] * len(completions) for j in range(1, len(shared or ()) + 1)
    }
    for (k, own), verdict in zip(known.items(), verdicts, strict=True):
        scores[k] = score(verdict, own) if isinstance(verdict, list) else verdict
        if isinstance(verdict, list) and own is shared:
            for name, yes in zip(curves, verdict, strict=True):
                curves[name][k] = float(yes)
    return Scores(scores, **curves)
