"""Principled Instructions Are All You Need for Questioning LLaMA-1/2, GPT-3.5/4 (Bsharat et al., 2023).

Twenty-six ways to ask, each a pure function of a question and of what it needs besides. What a principle adds is added
once: asking twice by the same principle changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial

from posttrain.errors import ConfigError, suggestion

POLITE = re.compile(r"\b(?:please|kindly|thank you|thanks|if you don't mind|i would like to)\b[,.!]?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Given:
    """What some principles need besides the question."""

    audience: str = "an expert in the field"
    role: str = "an expert in the field"
    word: str = "carefully"
    tip: str = "$200"
    examples: str = "Question: What is 2 + 3?\nAnswer: 5"
    requirements: str = "Be correct, and give reasons."
    sample: str = "It is so, because the evidence says it."
    beginning: str = "Let us begin."


def once(question: str, *, before: str = "", after: str = "") -> str:
    """Return the question with lines before and after it that it has not yet."""
    head = "" if not before or before in question else f"{before}\n"
    tail = "" if not after or after in question else f"\n{after}"
    return f"{head}{question}{tail}"


def impolite(question: str, g: Given) -> str:
    """1: without please and thanks, straight to the point."""
    del g
    return POLITE.sub("", question).strip() or question


def repeated(question: str, g: Given) -> str:
    """18: with a word that is said three times."""
    missing = max(0, 3 - question.count(g.word))
    return f"{question} {' '.join([g.word] * missing)}".strip()


def added(before: str = "", after: str = "") -> Callable[[str, Given], str]:
    """Return a principle that adds lines, with what is given filled in."""
    return lambda question, g: once(question, before=before.format(**vars(g)), after=after.format(**vars(g)))


PRINCIPLES: dict[str, Callable[[str, Given], str]] = {
    "no_politeness": impolite,
    "audience": added(after="The audience is {audience}."),
    "steps": added(before="Break this down into simpler tasks, and do them one after the other."),
    "affirmative": added(after="Do exactly what is asked."),
    "explain_simply": added(after="Explain it in simple terms, as to a child of eleven years."),
    "tip": added(after="I will tip {tip} for a better solution."),
    "few_shot": added(before="{examples}"),
    "format": added(before="###Instruction###", after="###Answer###"),
    "must": added(before="Your task is the following. You MUST do all of it."),
    "penalty": added(after="You will be penalised for mistakes."),
    "natural": added(after="Answer in a natural, human-like manner."),
    "think": added(after="Think step by step."),
    "unbiased": added(after="Make sure that your answer is unbiased and does not rely on stereotypes."),
    "ask_back": added(after="Ask me questions until you know enough to answer."),
    "test_me": added(after="Teach me this, then give me a test, and tell me whether my answers are right."),
    "role": added(before="You are {role}."),
    "delimiters": added(before='"""', after="---"),
    "repeat": repeated,
    "thoughts_and_examples": added(before="{examples}", after="Think step by step, as in the examples."),
    "primer": added(after="The answer is:"),
    "detailed": added(after="Write a detailed text, with all the information that is necessary."),
    "keep_style": added(after="Improve grammar and vocabulary alone, and keep the style as it is."),
    "many_files": added(after="Where code spans several files, write a script that creates all of them."),
    "begin": added(after='I give you the beginning: "{beginning}" Go on from there, and keep the flow consistent.'),
    "requirements": added(after="These are the requirements: {requirements}"),
    "sample": added(after='Use the same language as this sample: "{sample}"'),
}


def asked(principle: str, question: str, given: Given | None = None) -> str:
    """Return a question as a principle asks it. Raises KeyError for a name that is none of PRINCIPLES."""
    return PRINCIPLES[principle](question, given or Given())


def _check(setting: str, names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise ConfigError(f"{setting}: unknown {name!r}{suggestion(name, known)}; {', '.join(known)}")


def ways(names: Sequence[str], given: Mapping[str, str]) -> dict[str, Callable[[str], str]]:
    """Return how each of these principles asks a question, by its name. `given`: what they need besides it.

    Raises ConfigError without any name, and for one that there is not.
    """
    if not names:
        raise ConfigError("names: there is no principle to compare; give some, or leave the setting out for all")
    _check("names", names, PRINCIPLES)
    _check("given", given, [f.name for f in fields(Given)])
    return {name: partial(asked, name, given=Given(**given)) for name in names}
