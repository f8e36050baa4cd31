"""Chain-of-Thought Hub: A Continuous Effort to Measure Large Language Models' Reasoning Performance (Fu et al., 2023).

Questions with a final answer behind a few worked examples, whose answers show their steps. The final answer is read out
of the reply and compared as `math_answer` compares it; one that cannot be read is wrong, and counted.
"""

from __future__ import annotations

from itertools import islice

from posttrain.data.dataset import load
from posttrain.evaluation.metrics.attempts import attempts
from posttrain.evaluation.suite import Item, Suite, user
from posttrain.evaluation.suites.prompts import questions
from posttrain.records import Demonstration, Prompt, Turns
from posttrain.rewards.bundled.math_answer import math_answer
from posttrain.rewards.final_answer import last_number, marked
from posttrain.turns import answer_text, last_user_message

STEPS = "Let's think step by step."


def chain_of_thought(
    *,
    data: str = "arithmetic:split=test",
    examples: str = "arithmetic:split=train",
    size: int = 100,
    shots: int = 4,
    steps: bool = True,
    answer_after: str | None = None,
    group: str | None = None,
    samples: int = 1,
    temperature: float = 0.0,
    max_tokens: int = 256,
) -> Suite:
    """Build the suite.

    Settings:
        data: prompts with a column `answer`; a file, hub id or generator.
        examples: demonstrations that stand before every question; a file, hub id or generator.
        size: number of questions; at least 1.
        shots: number of worked examples; 0 asks without any, 4 to 8 is usual.
        steps: true asks to think step by step.
        answer_after: mark in front of the final answer of `data`, such as ####; null reads the column as it is.
        group: column whose values are reported apart, such as level; null reports all together.
        samples: answers to each question; at least 1.
        temperature: of these answers, 0 to about 1; 0 is greedy.
        max_tokens: longest answer in tokens; at least 1.
    """
    asked = questions(data, size, "answer", answer_after=answer_after)
    shown = islice(load(examples, "demonstrations", size=shots), shots) if shots else ()
    before = "".join(example(d) for d in shown if isinstance(d, Demonstration))
    cue = f" {STEPS}" if steps else ""

    def ask(prompt: Prompt) -> Turns:
        return user(f"{before}Q: {last_user_message(prompt.prompt)}\nA:{cue}")

    return Suite(
        asked,
        {"accuracy": right},
        attempts(right, samples, lambda item: item.answer),
        extract=final_answer,
        ask=ask,
        samples=samples,
        temperature=temperature,
        max_tokens=max_tokens,
        groups=() if group is None else (group,),
    )


def example(shown: Demonstration) -> str:
    """Write a worked example as it stands before a question."""
    return f"Q: {last_user_message(shown.prompt)}\nA: {answer_text(shown.completion)}\n\n"


def final_answer(text: str) -> str | None:
    """Read the marked answer, else the last number, of the part before the next question that a base model makes up."""
    own = text.split("\nQ:")[0]
    if answer := marked(own):
        return answer
    number = last_number(own)
    return None if number is None else f"{number.normalize():f}"


def right(item: Item) -> float:
    """Give 1 to the right final answer, and 0 to a wrong one and to none."""
    if item.answer is None:
        return 0.0
    return float(math_answer([""], [f"The answer is {item.answer}"], [item["answer"]])[0] == 1.0)
