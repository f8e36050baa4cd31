"""SIRL (Chen et al., 2025) in several turns: a problem in words, a model that a solver solves, and what it says.

The reward is that of rewards/bundled/solver.py. A model that has an optimum, or is known to have none, is judged at
once; one that the solver cannot read or solve may be written again, with that as the observation. Needs the extra
solver.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.generators import linear_programmes
from posttrain.environments.environment import Action, Environment, Outcome
from posttrain.records import Message, Prompt
from posttrain.rewards.bundled.solver import credit, optimum_of

AGAIN = (
    "The solver finds no optimum: there is no block of the language lp or mps, or it cannot be read, or nothing bounds "
    "the objective. Write the model again."
)


class Solver(Environment):
    """A model in the format lp or mps, and its optimum. Reads the column `objective`.

    Settings:
        attempts: models, until one is solved; at least 1, the paper's.
        tolerance: largest error relative to |z*| + 1 that is right; above 0, 1e-6 in the paper.
        solved: credit for a model that has an optimum, right or wrong; 0 to 1.
        seconds: time limit of the solver for one model; above 0.
    """

    def __init__(
        self, *, attempts: int = 3, tolerance: float = 1e-6, solved: float = 0.0, seconds: float = 5.0
    ) -> None:
        self.left = attempts
        self.tolerance = tolerance
        self.solved = solved
        self.seconds = seconds
        self.objective: float | str = 0.0

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Make linear programmes of two unknowns."""
        problems = [linear_programmes.make(index, seed, linear_programmes.LEVELS[0]) for index in range(count)]
        return [{"prompt": [{"role": "user", "content": p.question}], **p.columns} for p in problems]

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        """Begin with the problem."""
        if prompt.columns.get("objective") is None:
            raise ValueError(f"solver reads the column objective, and {prompt.where or 'the prompt'} has none")
        self.objective = prompt.columns["objective"]
        return super().reset(prompt, seed)

    def step(self, action: Action) -> Outcome:
        """Solve the model."""
        self.left -= 1
        found = optimum_of(action.text, self.seconds)
        if found is None and self.left > 0:
            return Outcome(({"role": "user", "content": AGAIN},))
        reward = credit(found, self.objective, tolerance=self.tolerance, solved=self.solved)
        return Outcome(reward=reward, done=True, info={"optimum": "none" if found is None else found})
