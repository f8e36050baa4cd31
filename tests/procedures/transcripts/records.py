"""Small data for scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from posttrain.data.dataset import Dataset
from posttrain.records import Demonstration, Pair, Ranking
from tests.harness.scripted_session import prompts

TWO = prompts("x?", "y?")
THREE = prompts("x?", "y?", "z?")


@dataclass(frozen=True)
class Named:
    """A reward of the run."""

    name: str
    weight: float = 1.0

    def __repr__(self) -> str:
        return f"{self.weight} {self.name}"


def demonstrations(*shown: tuple[str, str]) -> Dataset:
    """(question, answer)"""
    return Dataset(tuple(Demonstration(i, x, y, f"file:{i}") for i, (x, y) in enumerate(shown)), "demonstrations")


def pairs(*compared: tuple[str, str, str], **columns: Sequence[Any]) -> Dataset:
    """(question, better answer, worse answer), and columns with one value for each."""
    own = [{n: c[i] for n, c in columns.items()} for i in range(len(compared))]
    return Dataset(
        tuple(Pair(100 + i, x, w, l, own[i], f"file:{i}") for i, (x, w, l) in enumerate(compared)),  # noqa: E741
        "pairs",
    )


def rankings(*ranked: tuple[str, Sequence[str], Sequence[float]]) -> Dataset:
    """(question, answers, votes)"""
    rows = (Ranking(i, x, tuple(a), {"votes": list(v)}, f"file:{i}") for i, (x, a, v) in enumerate(ranked))
    return Dataset(tuple(rows), "rankings")
