"""Questions that must be looked up: a tool searches a corpus by BM25, and the answer is compared with the right one.

The corpus is a small encyclopedia of an invented world (data/generators/encyclopedia.py), so that no model knows
the answers, or a file of the user: jsonl with the keys `title` and `text` in each line. The answer without a call is
worth 1 where it is the column `answer` (a text, or a list of texts that are right), and 0 else. The info says which
share of the column `documents`, the titles that one must read, was found.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.bundled import split_of
from posttrain.data.generators.encyclopedia import LEVELS, make
from posttrain.environments.answers import right
from posttrain.environments.corpus import corpus_of
from posttrain.environments.environment import Action, Outcome, Tool
from posttrain.environments.tools.environment import ToolEnvironment
from posttrain.records import Message, Prompt

SPLITS = ("train", "test")


class Search(ToolEnvironment):
    """Look things up and answer.

    Settings:
        corpus: file of passages, jsonl with title and text; null takes the encyclopedia that ships.
        k: passages that a search returns; at least 1, 3 is usual.
    """

    def __init__(self, *, corpus: str | None = None, k: int = 3) -> None:
        self.corpus = corpus_of(corpus)
        self.k = k
        self.answer: Any = None
        self.wanted: set[str] = set()
        self.found: set[str] = set()

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Ask for what stands in one to three articles. Even seeds and odd ones share no question: train on seed 0."""
        made = (make(number, seed, LEVELS[number % len(LEVELS)]) for number in itertools.count())
        asked = itertools.islice((p for p in made if split_of(p.question) == SPLITS[seed % 2]), count)
        rest = "Search for it, and answer with the name or the number alone."
        return [{"prompt": f"{p.question} {rest}", "answer": p.answer, **p.columns} for p in asked]

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        self.answer = prompt.columns.get("answer")
        self.wanted, self.found = set(prompt.columns.get("documents") or ()), set()
        return super().reset(prompt, seed)

    def tools(self) -> Sequence[Tool]:
        return (self.search,)

    def search(self, query: str) -> str:
        """Search the corpus and return the passages that fit the query best.

        Args:
            query: Words to look for.
        """
        hits = self.corpus.search(query, self.k)
        self.found |= {hit.title for hit in hits}
        return "\n".join(f"{hit.title}: {hit.text}" for hit in hits) or "Nothing was found."

    def step(self, action: Action) -> Outcome:
        """Execute the searches, or judge the answer."""
        outcome = super().step(action)
        if not self.wanted:
            return outcome
        recall = len(self.wanted & self.found) / len(self.wanted)
        return Outcome(outcome.messages, outcome.reward, outcome.done, {**outcome.info, "recall": recall})

    def score(self, action: Action) -> float | None:
        return None if self.answer is None else float(right(action.content or action.text, self.answer))
