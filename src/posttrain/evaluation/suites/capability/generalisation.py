"""Understanding the Effects of RLHF on LLM Generalisation and Diversity (Kirk et al., 2023): the generalisation gap.

Two sets of questions with right answers, one like the training and one unlike it:

    gap = accuracy inside - accuracy outside        with Fisher's exact test

`posttrain eval TRAINED --against SFT` shows how the accuracies of both changed.
"""

from __future__ import annotations

from dataclasses import replace

from posttrain.evaluation.suite import Contrast, Suite, user
from posttrain.evaluation.suites.capability.chain_of_thought import final_answer, right
from posttrain.evaluation.suites.prompts import questions
from posttrain.turns import last_user_message


def generalisation(
    *,
    inside: str = "arithmetic:level=1,split=test",
    outside: str = "arithmetic:level=3,split=test",
    size: int = 100,
    max_tokens: int = 64,
) -> Suite:
    """Build the suite.

    Settings:
        inside: prompts like those of the training, with a column `answer`; any file, hub id or generator.
        outside: prompts unlike them, likewise; any file, hub id or generator.
        size: number of questions of each set; at least 1.
        max_tokens: longest answer in tokens; at least 1.
    """
    prompts = [
        replace(p, id=p.id * 2 + k, prompt=user(last_user_message(p.prompt)), columns={**p.columns, "set": name})
        for k, (name, data) in enumerate((("inside", inside), ("outside", outside)))
        for p in questions(data, size, "answer")
    ]
    return Suite(
        prompts,
        {"accuracy": right},
        extract=final_answer,
        max_tokens=max_tokens,
        groups=("set",),
        contrasts=(Contrast("gap", "set", "inside", "outside", by=None),),
    )
