"""`environment`: what answers the policy, turn by turn."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, ClassVar

from pydantic import ValidationInfo, field_validator

from posttrain.config.code import Code, locate
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

    @field_validator("settings")
    @classmethod
    def _located_settings(cls, settings: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        """Find code that a setting names beside the run file, too. What is not found stays, for the class to refuse."""
        base, found = (info.context or {}).get("base"), dict(settings)
        for name, value in settings.items():
            if base is not None and isinstance(value, str) and re.fullmatch(r"[^\n]+\.py(:\w+)?", value):
                with suppress(ValueError):
                    found[name] = locate(value, base)
        return found
