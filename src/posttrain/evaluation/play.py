"""The questions of a suite asked in their order, whoever answers them: a model, or a function that stands for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from posttrain.evaluation.suite import Item, Reply, Suite
from posttrain.records import Turns

Due = Sequence[tuple[Item, Turns]]  # items with what they are asked next
Answer = Callable[[Due, int], Sequence[Reply]]  # of the due items, in this turn


def play(suite: Suite, answer: Answer) -> list[Item]:
    """Ask every question, `suite.samples` times, and go on asking where the suite does."""
    items = [Item(p, k) for p in suite.prompts for k in range(suite.samples)]
    questions: list[Turns | None] = [suite.ask(item.prompt) for item in items]
    for turn in range(suite.turns):
        due = {i: q for i, q in enumerate(questions) if q is not None}
        replies = answer([(items[i], q) for i, q in due.items()], turn) if due else []
        for i, reply in zip(due, replies, strict=True):
            items[i] = replace(items[i], replies=(*items[i].replies, reply))
        if suite.follow is None or not due or turn + 1 == suite.turns:
            break
        questions = [q if i in due else None for i, q in enumerate(suite.follow(items))]
    return items
