"""Answers as solutions in steps, each line one, and how often a beginning of one leads to a right answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from posttrain.data.formats.stepwise import SEPARATOR, joined
from posttrain.errors import DataError
from posttrain.records import Episode, Prompt, Steps
from posttrain.seeds import seed_for
from posttrain.selection.answers import identity


def in_steps(answer: Episode, labels: Sequence[float | None] | None = None) -> Steps | None:
    """Return an answer as steps, with these labels or 0 for each; None for an answer that says nothing."""
    lines = tuple(line for line in answer.text.split(SEPARATOR) if line.strip())
    known = tuple(labels or (0.0,) * len(lines))
    return Steps(identity(answer), answer.prompt.prompt, lines, known, where=answer.prompt.where) if lines else None


def beginnings(answer: Episode) -> list[Prompt]:
    """Return a prompt for each beginning of an answer but the whole. Raises DataError for a conversation."""
    prompt, solution = answer.prompt, in_steps(answer)
    if not isinstance(prompt.prompt, str):
        raise DataError(
            f"{prompt.where}: beginnings of answers can be continued only where prompts are plain text; set data.chat: "
            "false"
        )
    steps = solution.steps if solution else ()
    return [
        Prompt(
            seed_for("beginning", identity(answer), n),
            prompt.prompt + joined(steps[:n]) + SEPARATOR,
            prompt.columns,
            prompt.where,
        )
        for n in range(1, len(steps))
    ]


def with_rates(answer: Episode, completions: Iterable[Episode], *, above: float, hard: bool) -> Steps | None:
    """Return an answer as steps with the share of completions of each whose reward exceeds a number as its label.

    The last step has the reward of the answer itself. `hard`: 1 where any completion does. A step without a completion
    that was scored has no label; None for an answer without any label.
    """
    rewards: dict[int, list[float]] = {}
    for c in completions:
        if c.reward is not None:
            rewards.setdefault(c.prompt.id, []).append(float(c.reward > above))
    seen = [rewards.get(p.id, []) for p in beginnings(answer)]
    seen.append([] if answer.reward is None else [float(answer.reward > above)])
    labels = [None if not x else max(x) if hard else sum(x) / len(x) for x in seen]
    return in_steps(answer, labels) if any(x is not None for x in labels) else None
