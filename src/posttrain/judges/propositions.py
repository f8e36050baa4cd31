"""Asking a model which propositions hold of an answer (rule-based rewards, Mu et al., 2024)."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from posttrain.records import Turns

HOLDS = (
    "Below are a question and an answer to it. Is the following true of the answer?\n{proposition}\n\n"
    "<question>\n{prompt}\n</question>\n<answer>\n{answer}\n</answer>\n\nReply with yes or no."
)
YES_OR_NO = ("yes", "no")


def questions(propositions: Iterable[str], prompt: str, answer: str, template: str = HOLDS) -> list[Turns]:
    """Return one question about an answer for each proposition. The answer is escaped, so that it closes no tag."""
    shown = escape(answer, quote=False)
    asked = (template.format(proposition=p, prompt=prompt, answer=shown) for p in propositions)
    return [({"role": "user", "content": text},) for text in asked]
