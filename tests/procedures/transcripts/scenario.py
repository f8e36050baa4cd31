"""A scenario: a procedure on small data, what the models answer, and the verbs that must follow."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any
from unittest.mock import patch

from posttrain.catalogue.index import load_procedure
from posttrain.errors import PosttrainError
from tests.harness.scripted_session import ScriptedSession, as_text


@dataclass(frozen=True)
class Scenario:
    """`transcript`: one verb a line; a line that is indented continues the line before it."""

    path: str
    data: Mapping[str, Any]
    settings: Mapping[str, Any]
    script: Mapping[str, Any]
    transcript: str
    patches: Mapping[str, Any] = field(default_factory=dict)  # by name in the module of the procedure

    def __str__(self) -> str:
        shown = [f"{n}={x}" for n, x in self.settings.items() if isinstance(x, str | int | float)]
        return " ".join((self.path, *shown))

    def run(self) -> list[str]:
        session, procedure = ScriptedSession(**self.script), load_procedure(self.path)
        with patch.multiple(procedure.__module__, **self.patches) if self.patches else nullcontext():
            try:
                end = f"return {as_text(procedure(session, **self.data, **self.settings))}"
            except PosttrainError as error:
                end = f"{type(error).__name__}: {error}"
        return [" ".join(line.split()) for line in (*session.transcript, end)]

    def check(self) -> None:
        found, expected = self.run(), lines(self.transcript)
        for i, (f, x) in enumerate(zip(found, expected, strict=False), 1):
            assert f == x, f"{self}, line {i}:\n  {f}\ninstead of\n  {x}"
        assert len(found) == len(expected), f"{self}: {len(found)} lines instead of {len(expected)}"


def lines(transcript: str) -> list[str]:
    joined: list[str] = []
    for line in dedent(transcript).strip().splitlines():
        if line.startswith(" "):
            joined[-1] += " " + line.strip()
        else:
            joined.append(line.strip())
    return joined
