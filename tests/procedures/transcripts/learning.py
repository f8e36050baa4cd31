"""What the procedures do that train small learners: whom they ask how much, what they keep, what they return.

The numbers are those of runs that the tests of tests/learners explain; here they notice every broken line.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from posttrain.catalogue.index import load_procedure
from posttrain.errors import PosttrainError
from tests.harness.learning_session import LearningSession, ending
from tests.procedures.transcripts.scenario import Scenario


@dataclass(frozen=True)
class LearningScenario(Scenario):
    """A scenario without data. `script`: arguments of LearningSession."""

    data: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    script: dict[str, Any] = field(default_factory=dict)
    transcript: str = ""

    def run(self) -> list[str]:
        session, procedure = LearningSession(**self.script), load_procedure(self.path)
        with patch.multiple(procedure.__module__, **self.patches) if self.patches else nullcontext():
            try:
                end = ending(procedure(session, **self.data, **self.settings))
            except PosttrainError as error:
                end = f"{type(error).__name__}: {error}"
        return [" ".join(line.split()) for line in (*session.transcript, end)]
