"""The papers that the library implements or will implement: what each of them is here, and how far it is.

`papers.toml` is docs/papers.toml, which says what its keys mean.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("papers.toml")
STATES = ("works", "partly", "missing")


@dataclass(frozen=True)
class Paper:
    """One entry of papers.toml. What `same_as` names says everything but the key, the title and the family."""

    key: str
    title: str
    family: str
    state: str
    places: tuple[str, ...]
    claim: str
    tests: tuple[str, ...] = ()
    lacks: str = ""
    same_as: str = ""

    def has(self, words: Sequence[str]) -> bool:
        """Whether the key, the title or the places contain every one of the words, in capitals or not."""
        text = " ".join((self.key, self.title, *self.places)).lower()
        return all(word.lower() in text for word in words)

    def row(self) -> dict[str, Any]:
        """The entry under the names that papers.toml uses."""
        return {
            "key": self.key,
            "title": self.title,
            "family": self.family,
            "state": self.state,
            "is": list(self.places),
            "claim": self.claim,
            "tests": list(self.tests),
            "lacks": self.lacks,
            "same_as": self.same_as,
        }


@functools.cache
def papers() -> dict[str, Paper]:
    """Every paper by its key, in the order of the file."""
    entries = {key: entry for key, entry in _file().items() if key != "families"}
    return {key: _paper(key, entry, entries) for key, entry in entries.items()}


def families() -> dict[str, str]:
    """The title of each family by its name, in the order of the file."""
    return dict(_file()["families"])


def counts(listed: Sequence[Paper]) -> dict[str, dict[str, int]]:
    """The number of papers by family and state, for the families that occur."""
    return {
        family: {state: sum((p.family, p.state) == (family, state) for p in listed) for state in STATES}
        for family in families()
        if any(p.family == family for p in listed)
    }


def _paper(key: str, entry: Mapping[str, Any], entries: Mapping[str, Mapping[str, Any]]) -> Paper:
    original = entry.get("same_as", "")
    source = entries[original] if original else entry
    return Paper(
        key=key,
        title=entry["title"],
        family=entry["family"],
        state=source["state"],
        places=tuple(source.get("is", ())),
        claim=source["claim"],
        tests=tuple(source.get("tests", ())),
        lacks=source.get("lacks", ""),
        same_as=original,
    )


@functools.cache
def _file() -> dict[str, dict[str, Any]]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
