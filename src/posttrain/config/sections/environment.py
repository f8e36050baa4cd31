"""`environment`: what answers the policy, turn by turn."""

from __future__ import annotations

from typing import ClassVar

from posttrain.config.code import Code
from posttrain.config.types import Count, Flag, Positive


class EnvironmentRef(Code):
    """An environment, the limits of its episodes, and its settings. The short form is its path."""

    noun: ClassVar[str] = "environment"

    max_turns: Count = 8
    """Most turns of the policy in one episode; 1 is a single answer. Each has at most `sampling.max_tokens` tokens."""
    max_episode_tokens: Count | None = None
    """Most tokens of an episode behind its prompt, of policy and environment together; null is what fits into the
    model's context."""
    timeout: Positive = 30.0
    """Time limit of one step in seconds; an episode whose step takes longer gets no score and is not trained on."""
    lockstep: Flag | None = None
    """Whether all episodes wait for each other before each turn, so that a resumed run has the same bits however fast
    the environment answers; false is faster where it is slow, and null is true on a CPU alone."""
    workers: Count = 2
    """Processes that episodes run in, many in each; the result does not depend on it."""
    memory: Positive = 4.0
    """Memory of one of these processes in GB; a step that needs more fails."""
