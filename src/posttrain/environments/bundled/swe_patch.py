"""SWE-RL: Advancing LLM Reasoning via Reinforcement Learning on Open Software Evolution (Wei et al., 2025).

An issue, the files that may be wrong, and an answer of edits. The reward is their similarity to the true patch, as in
rewards/bundled/patch_similarity.py; nothing is run. An answer in a wrong form may be given again, with what is wrong
about it as the observation; the paper gives one attempt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.generators import bugs
from posttrain.environments.environment import Action, Environment, Outcome
from posttrain.records import Message, Prompt
from posttrain.rewards.bundled.patch_similarity import FormatError, judged


class SwePatch(Environment):
    """Edits that fix an issue. Reads the columns `files` and `patched`: paths and contents before and after the fix.

    Settings:
        attempts: answers, until one is in the right form; at least 1, the paper's.
        wrong: reward of the last attempt in a wrong form; -1 in the paper, below 0.
    """

    def __init__(self, *, attempts: int = 1, wrong: float = -1.0) -> None:
        self.left = attempts
        self.wrong = wrong
        self.columns: Mapping[str, Any] = {}

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Make small bugs, each with the issue that reports it."""
        problems = [bugs.make(index, seed, bugs.LEVELS[0]) for index in range(count)]
        return [{"prompt": [{"role": "user", "content": p.question}], **p.columns} for p in problems]

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        """Begin with the issue and the files, which the prompt shows."""
        self.columns = prompt.columns
        if missing := [name for name in ("files", "patched") if self.columns.get(name) is None]:
            raise ValueError(f"swe_patch reads the columns files and patched; {prompt.where} has no {missing[0]}")
        return super().reset(prompt, seed)

    def step(self, action: Action) -> Outcome:
        """Judge the edits, or say what is wrong with their form while attempts are left."""
        self.left -= 1
        try:
            score = judged(action.text, self.columns["files"], self.columns["patched"])
        except FormatError as error:
            if self.left > 0:
                said = f"Your answer cannot be used: {error}. Answer again, in the form that was asked for."
                return Outcome(({"role": "user", "content": said},), info={"format": str(error)})
            return Outcome(reward=self.wrong, done=True, info={"format": str(error)})
        return Outcome(reward=score, done=True)
