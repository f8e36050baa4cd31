"""Rubrics as Rewards: Reinforcement Learning Beyond Verifiable Domains (Gunjal et al., 2025), explicit aggregation.

    r(y) = Σ_j w_j 1[criterion j is met] / Σ_j max(w_j, 0),   clipped to [0, 1]

A criterion of negative weight is a pitfall.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.endpoint.client import Client
from posttrain.endpoint.failure import ReplyError
from posttrain.endpoint.form import Form, Text, Word, fill_in
from posttrain.errors import ConfigError
from posttrain.judges.asking import Filled, body

QUESTION = "Say of each criterion whether the answer to the question meets it. Say yes only where it clearly does."
_SHAPE = 'First give a short reason: {{"reason": "...", {names}}}, each "yes" or "no".'

Rubric = Mapping[str, float]  # criterion -> weight
Met = list[bool]


def parse_rubric(given: Any, where: str) -> Rubric:
    """Read {criterion: weight}, a list of criteria of equal weight, or of {criterion, weight}. Raises ConfigError."""
    if isinstance(given, Mapping):
        rubric = dict(given)
    elif isinstance(given, list | tuple):
        rows = [row if isinstance(row, Mapping) else {"criterion": row} for row in given]
        rubric = {row.get("criterion"): row.get("weight", 1.0) for row in rows}
    else:
        rubric = {}
    weights = list(rubric.values())
    numbers = all(isinstance(w, int | float) and not isinstance(w, bool) and math.isfinite(w) for w in weights)
    if not rubric or not all(isinstance(c, str) and c.strip() for c in rubric) or not numbers or max(weights) <= 0:
        raise ConfigError(
            f"{where} is {given!r:.200}, but a rubric is {{criterion: weight}}, with one weight above 0 at least"
        )
    return rubric


def check_criteria(
    client: Client, question: str, asked: Sequence[tuple[str, str, Rubric]]
) -> list[Met | ReplyError | None]:
    """Ask which criteria of its rubric each (prompt, answer, rubric) meets, all criteria in one request."""
    results: list[Met | ReplyError | None] = [None] * len(asked)
    for size in sorted({len(rubric) for _, _, rubric in asked}):
        names = [f"criterion_{j}" for j in range(1, size + 1)]
        items = [k for k, (_, _, rubric) in enumerate(asked) if len(rubric) == size]
        form = Form("rubric", {"reason": Text(), **dict.fromkeys(names, Word(("yes", "no")))})
        requests = [_request(question, names, *asked[k]) for k in items]
        for k, filled in zip(items, fill_in(client, form, requests), strict=True):
            results[k] = _met(filled, names)
    return results


def score(met: Sequence[bool], rubric: Rubric) -> float:
    """Compute r(y), the formula above."""
    weights = list(rubric.values())
    earned = math.fsum(w for w, yes in zip(weights, met, strict=True) if yes)
    return min(1.0, max(0.0, earned / math.fsum(w for w in weights if w > 0)))


def _request(question: str, names: Sequence[str], prompt: str, answer: str, rubric: Rubric) -> Any:
    shape = _SHAPE.format(names=", ".join(f'"{name}": ...' for name in names))
    criteria = dict(zip(names, rubric, strict=True))
    return body(f"{question}\n{shape}", {"question": prompt, "answer": answer, **criteria})


def _met(filled: Filled, names: Sequence[str]) -> Met | ReplyError | None:
    return [filled[name] == "yes" for name in names] if isinstance(filled, dict) else filled
