"""Verilog (Wang et al., 2025) in several turns: a circuit in words, a design that is simulated, and what comes of it.

The reward is the share of the tests that the last design passes, as in rewards/bundled/verilog.py. Until all are passed
the policy may write another design; it reads what the compiler says, or the share of passed tests, but no right output.
Needs bubblewrap and Icarus Verilog.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.generators import designs
from posttrain.environments.environment import Action, Environment, Outcome
from posttrain.records import Message, Prompt
from posttrain.rewards.bundled.verilog import simulated
from posttrain.sandbox.verdict import Judgement


class Verilog(Environment):
    """A design in Verilog. Reads the columns `testbench` and `output`.

    Settings:
        attempts: designs, until one passes all tests; at least 1.
        seconds: time limit of each tool (preprocessor, compiler, simulator); above 0.
        memory: memory limit of each tool in MiB; at least 64, 512 by default.
    """

    def __init__(self, *, attempts: int = 3, seconds: float = 5.0, memory: int = 512) -> None:
        self.left = attempts
        self.seconds, self.memory = seconds, memory
        self.columns: Mapping[str, Any] = {}

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Make circuits of two inputs."""
        problems = [designs.make(index, seed, designs.LEVELS[0]) for index in range(count)]
        return [{"prompt": [{"role": "user", "content": p.question}], **p.columns} for p in problems]

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        """Begin with what the circuit should do."""
        self.columns = prompt.columns
        if missing := [name for name in ("testbench", "output") if self.columns.get(name) is None]:
            raise ValueError(f"verilog reads the columns testbench and output; {prompt.where} has no {missing[0]}")
        return super().reset(prompt, seed)

    def step(self, action: Action) -> Outcome:
        """Simulate the design. Raises RuntimeError where the sandbox fails, which is no score."""
        self.left -= 1
        found = simulated(
            action.text, self.columns["testbench"], self.columns["output"], seconds=self.seconds, memory=self.memory
        )
        if isinstance(found, RuntimeError):
            raise found
        share = 0.0 if isinstance(found, Judgement) else found
        if share == 1 or self.left <= 0:
            return Outcome(reward=share, done=True)
        said = f"It fails: {found.reason}" if isinstance(found, Judgement) else f"It passes {share:.0%} of the tests"
        return Outcome(({"role": "user", "content": f"{said}. Write the design again."},))
