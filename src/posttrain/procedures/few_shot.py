"""Prompts of solved examples and an instruction in a run: what they say, how a model reads them, and what they earn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from posttrain.procedures.prompting import Scores, Task
from posttrain.records import Demonstration, Prompt
from posttrain.search.prompts.edits import FewShot, written
from posttrain.search.prompts.gap import gap
from posttrain.seeds import SEEDS
from posttrain.turns import last_user_message, under

SCALE, RIGHT, WRONG = 100.0, 2.0, 1.8


@dataclass(frozen=True)
class FewShots:
    """`pool`: the solved examples. `reader`: the model whose states represent texts."""

    task: Task
    pool: Sequence[Prompt]
    instruction: str
    templates: Sequence[str]
    reader: str = "policy"

    @property
    def phrases(self) -> list[str]:
        """The sentences of the instruction."""
        return re.split(r"(?<=[.!?])\s+", self.instruction.strip()) if self.instruction.strip() else []

    @property
    def examples(self) -> list[tuple[str, str]]:
        """The question and the answer of each solved example."""
        return [(last_user_message(p.prompt), str(p.columns.get("answer", ""))) for p in self.pool]

    def text_of(self, example: tuple[str, str]) -> str:
        """Return what represents a solved example."""
        return written(self.templates[0], *example)

    def text(self, prompt: FewShot) -> str:
        """Write a prompt."""
        return prompt.text(self.examples, self.templates, self.phrases).rstrip("\n")

    def states(self, name: str, texts: Sequence[str], width: int = 0) -> Tensor:
        """Return what represents texts, one a row, kept under a name; [0, width] without any."""
        rows = [Demonstration(i, "", text, f"text {i + 1} of {name}") for i, text in enumerate(texts)]
        return torch.tensor(self.task.session.embed(name, rows, self.reader)) if rows else torch.zeros(0, width)

    def chosen(self, name: str, asked: Sequence[Prompt], made: Sequence[FewShot]) -> list[list[float]]:
        """Return the probabilities of the labels of each query under its prompt, kept under a name."""
        under_each = [
            Prompt(p.id, under(p.prompt, self.text(x)), p.columns, p.where) for p, x in zip(asked, made, strict=True)
        ]
        return self.task.session.choose(name, self.task.solver, under_each, self.task.labels)

    def worth(self, name: str, asked: Sequence[Prompt], step: int, made: Sequence[FewShot]) -> list[float]:
        """Return 100 s of each query under its prompt: 2 g where the gap g is above 0, else 1.8 g."""
        said = self.chosen(f"{name}-{step}", asked, made)
        return [SCALE * gap(x, self.task.label(p), right=RIGHT, wrong=WRONG) for p, x in zip(asked, said, strict=True)]

    def right(self, name: str, asked: Sequence[Prompt], made: Sequence[FewShot]) -> Scores:
        """Return 1 for each query whose likeliest label is right, else 0."""
        said = self.chosen(name, asked, made)
        return {p.id: float(x.index(max(x)) == self.task.label(p)) for p, x in zip(asked, said, strict=True)}

    def chances(self, name: str, asked: Sequence[Prompt], step: int) -> list[float]:
        """Return a number in [0, 1) for each query in a step, from the seed of the run."""
        return [self.task.session.seed(name, step, p.id) / SEEDS for p in asked]
