"""Questions without a right answer, which several suites ask; or prompts of a file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from posttrain.evaluation.suite import user
from posttrain.evaluation.suites.prompts import questions
from posttrain.records import Prompt

FORMS = (
    "Write the first sentence of a story about {}.",
    "Give one piece of advice about {}.",
    "Describe {} to somebody who has never heard of it.",
    "Name something surprising about {}.",
)
SUBJECTS = (
    *("a lighthouse", "a long journey", "learning to swim", "an old clock", "the first snow", "a quarrel"),
    *("baking bread", "a lost letter", "moving to a new town", "a garden", "the night sky", "a small dog"),
)


def open_prompts(data: str | None, size: int) -> Sequence[Prompt]:
    """Return up to `size` prompts of a file, hub id or generator, else bundled questions without a right answer."""
    if data is not None:
        return questions(data, size)
    every = [form.format(subject) for subject, form in product(SUBJECTS, FORMS)]
    return [Prompt(i, user(text)) for i, text in enumerate(every[:size])]
