"""Arithmetic with a calculator: a question that is tedious without the tool, and a number as the answer.

The tool is `calculate(expression)`. The answer that ends the episode is worth 1 where its last number is right, else 0.
The column `answer` holds the number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.problem import Draws
from posttrain.environments.environment import Action, Tool
from posttrain.environments.tools.calculator import calculate
from posttrain.environments.tools.environment import ToolEnvironment
from posttrain.records import Message, Prompt

NUMBER = re.compile(r"[-−]?\d[\d,]*(?:\.\d+)?")


class ArithmeticTool(ToolEnvironment):
    """Arithmetic with a calculator."""

    def __init__(self) -> None:
        self.answer = 0.0

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Make sums of products, such as 37 * 48 + 112."""
        return [_task(Draws("arithmetic_tool", seed, number)) for number in range(count)]

    def tools(self) -> Sequence[Tool]:
        """The calculator."""
        return (calculate,)

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        """Begin with the question."""
        if "answer" not in prompt.columns:
            raise ValueError(f"arithmetic_tool reads the column answer, and {prompt.where or 'the prompt'} has none")
        self.answer = float(prompt.columns["answer"])
        return super().reset(prompt, seed)

    def score(self, action: Action) -> float:
        """Return 1 where the last number of the answer is right; a turn that was cut has not answered."""
        numbers = NUMBER.findall(action.content.rpartition("</think>")[2])
        if not action.ended or not numbers:
            return 0.0
        return float(float(numbers[-1].replace(",", "").replace("−", "-")) == self.answer)


def _task(draws: Draws) -> dict[str, Any]:
    a, b, c = (draws.integer(12, 99) for _ in range(3))
    sign = draws.choose("+-")
    expression = draws.choose([f"{a} * {b} {sign} {c}", f"({a} {sign} {b}) * {c}", f"{a} * {b} * {c}"])
    asked = draws.choose(["What is {}?", "Compute {}.", "How much is {}?"]).format(expression)
    return {"prompt": [{"role": "user", "content": asked}], "answer": calculate(expression)}
