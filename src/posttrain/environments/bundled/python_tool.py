"""Problems that are tedious without a computer, and a Python interpreter to solve them with.

The tool `python` runs a cell in a sandbox; what it defines is there in the next one. The answer without a call is
compared with the column `answer`: right is worth 1. Without that column the rewards of the run file judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.problem import Draws
from posttrain.environments.answers import right
from posttrain.environments.environment import Action, Outcome, Tool
from posttrain.environments.tools.environment import ToolEnvironment
from posttrain.errors import SandboxError
from posttrain.records import Message, Prompt
from posttrain.sandbox.availability import Choice, choose
from posttrain.sandbox.limits import MIB, Limits
from posttrain.sandbox.notebook import Notebook


class PythonTool(ToolEnvironment):
    """Solve problems with a Python interpreter.

    Settings:
        sandbox: name of the sandbox: auto (the best one here), bubblewrap, landlock, wasm or none (unprotected).
        seconds: time limit of a cell; above 0.
        cell_memory: memory limit of a cell in MiB; at least 1, 512 by default.
        shown: characters of its output that the policy reads; at least 1.
    """

    def __init__(
        self, *, sandbox: Choice = "auto", seconds: float = 3.0, cell_memory: int = 512, shown: int = 2000
    ) -> None:
        self.notebook = Notebook(choose(sandbox), Limits(seconds=seconds, memory=cell_memory * MIB))
        self.shown = shown
        self.answer: Any = None
        self.broken: SandboxError | None = None

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Make problems of four kinds, with whole numbers as answers."""
        return [_task(Draws("python_tool", seed, number)) for number in range(count)]

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        self.answer = prompt.columns.get("answer")
        return super().reset(prompt, seed)

    def tools(self) -> Sequence[Tool]:
        return (self.python,)

    def python(self, code: str) -> str:
        """Run Python code and return what it prints, and the value of its last line. Names are kept between calls.

        Args:
            code: The code to run.
        """
        try:
            output = self.notebook.run(code)
        except SandboxError as error:
            self.broken = error
            raise
        cut = f"\n[{len(output) - self.shown} more characters were cut off]" if len(output) > self.shown else ""
        return output[: self.shown] + cut or "(no output)"

    def step(self, action: Action) -> Outcome:
        """Execute the calls, or judge the answer. Raises SandboxError where the sandbox failed: no observation."""
        outcome = super().step(action)
        if self.broken is not None:
            raise self.broken
        return outcome

    def score(self, action: Action) -> float | None:
        return None if self.answer is None else float(right(action.content or action.text, self.answer))


def _task(draw: Draws) -> Mapping[str, Any]:
    low, n, k = draw.integer(100, 900), draw.integer(200, 2000), draw.integer(3, 9)
    question, answer = draw.choose(
        [
            (
                f"How many prime numbers lie between {low} and {low + n}, both included?",
                sum(all(x % d for d in range(2, int(x**0.5) + 1)) for x in range(low, low + n + 1)),
            ),
            (
                f"What is the sum of the squares of all multiples of {k} from 1 to {n}?",
                sum(x * x for x in range(k, n + 1, k)),
            ),
            (
                f"What is the sum of the decimal digits of {k} to the power of {n}?",
                sum(map(int, str(k**n))),
            ),
            (
                f"How many numbers from 1 to {n} have digits that add up to {2 * k}?",
                sum(sum(map(int, str(x))) == 2 * k for x in range(1, n + 1)),
            ),
        ]
    )
    return {"prompt": f"{question} Use the tool, and answer with the number alone.", "answer": str(answer)}
