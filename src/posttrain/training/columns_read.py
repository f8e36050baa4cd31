"""Which columns of the data something reads: the reward functions, or the loss of a method."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from posttrain.core.guide import REFERENCE
from posttrain.core.method import Method
from posttrain.data.dataset import Dataset
from posttrain.records import Prompt
from posttrain.rewards.reward import Reward

SIDES = ("", "chosen_", "rejected_")  # prefixes of the columns that belong to one answer of a pair


def by_rewards(rewards: Sequence[Reward], method: Method | None = None) -> Callable[[str], bool]:
    """Return whether one of the reward functions takes a column, or a guide of the method writes it."""
    guides = [a.guide for s in method.streams.values() for a in s.sampling if a.guide] if method else []
    written = {REFERENCE} if any(guide.by is None for guide in guides) else set()
    return lambda column: column in written or any(reward.reads.chooses(column) for reward in rewards)


def columns_of(dataset: Dataset) -> set[str]:
    """Return the names of the columns that some record has for rewards."""
    return {name for r in dataset if isinstance(r, Prompt) for name in r.columns}


def by_method(method: Method) -> Callable[[str], bool]:
    """Return whether the loss of a method reads a column of its records."""
    names = {f"{side}{name}" for name in method.columns for side in SIDES}
    return lambda column: column in names
