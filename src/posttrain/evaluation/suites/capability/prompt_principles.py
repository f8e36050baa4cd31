"""Principled Instructions Are All You Need for Questioning LLaMA-1/2, GPT-3.5/4 (Bsharat et al., 2023).

The same questions asked plainly and by principles of writing prompts, one at a time: the effect of each is the accuracy
with it less the accuracy without it, question by question, with McNemar's exact test. Two of them merely say the same
in other words; their effects are how sensitive the model is to wording.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from posttrain.errors import ConfigError, suggestion
from posttrain.evaluation.suite import Contrast, Suite, user
from posttrain.evaluation.suites.capability.chain_of_thought import STEPS, final_answer, right
from posttrain.evaluation.suites.prompts import questions
from posttrain.records import Prompt, Turns
from posttrain.turns import last_user_message

Rewrite = Callable[[str], str]
PRINCIPLES: Mapping[str, Rewrite] = {
    "plain": str,
    "reworded_1": lambda q: f"Here is a question: {q}",
    "reworded_2": lambda q: f"Please answer the following. {q}",
    "audience": lambda q: f"{q} The audience is an expert in the field.",
    "simply": lambda q: f"{q} Explain it to me like I'm 11 years old.",
    "tip": lambda q: f"{q} I'm going to tip $200 for a better solution!",
    "must": lambda q: f"Your task is to answer the question, and you MUST be right. {q}",
    "penalised": lambda q: f"{q} You will be penalised for a wrong answer.",
    "steps": lambda q: f"{q} {STEPS}",
    "role": lambda q: f"You are a careful teacher. {q}",
    "delimited": lambda q: f"###Instruction###\nAnswer the question.\n\n###Question###\n{q}",
    "primed": lambda q: f"{q}\nThe answer is",
}


def prompt_principles(
    *, data: str = "arithmetic:split=test", size: int = 50, principles: Sequence[str] = (), max_tokens: int = 96
) -> Suite:
    """Build the suite.

    Settings:
        data: prompts with a column `answer`; a file, hub id or generator.
        size: number of questions; at least 1.
        principles: names of those that are tried, any of PRINCIPLES; none tries all of them.
        max_tokens: longest answer in tokens; at least 1.
    """
    if unknown := next((p for p in principles if p not in PRINCIPLES), None):
        known = ", ".join(PRINCIPLES)
        raise ConfigError(f"principles: no {unknown!r}{suggestion(unknown, PRINCIPLES)}; principles {known}")
    chosen = list(dict.fromkeys(["plain", *(principles or PRINCIPLES)]))
    records = questions(data, size, "answer")
    prompts = [
        Prompt(i * len(chosen) + k, user(last_user_message(p.prompt)), {**p.columns, "item": i, "principle": name})
        for i, p in enumerate(records)
        for k, name in enumerate(chosen)
    ]

    def ask(prompt: Prompt) -> Turns:
        return user(PRINCIPLES[prompt.columns["principle"]](last_user_message(prompt.prompt)))

    return Suite(
        prompts,
        {"accuracy": right},
        extract=final_answer,
        ask=ask,
        max_tokens=max_tokens,
        groups=("principle",),
        contrasts=tuple(Contrast(name, "principle", name, "plain") for name in chosen[1:]),
    )
