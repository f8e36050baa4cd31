"""A text role as a reward function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from posttrain.records import Message
from posttrain.roles.protocol import Score, TextRole

WEIGHTS = {"reward": 1.0, "cost": 0.0}  # in the sum of rewards; methods that read a cost get it as the tensor `cost`


@dataclass(frozen=True)
class RoleReward:
    """Scores each completion at the end of its conversation."""

    name: str
    role: TextRole

    def __call__(self, completions: Sequence[str], conversations: Sequence[tuple[Message, ...]]) -> list[Score]:
        """Return the scores. `conversations` end with the completions, which reward functions take as well."""
        assert len(completions) == len(conversations)
        return self.role.score(conversations)

    def __repr__(self) -> str:
        return f"models.{self.name}"
