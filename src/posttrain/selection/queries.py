"""Queries by what they find: their average precision, and the prompts of the next hop."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from posttrain.data.generators.encyclopedia import Passage
from posttrain.errors import DataError
from posttrain.records import Episode, Prompt
from posttrain.selection.prompts import extended

Find = Callable[[str], Sequence[Passage]]  # of a query what it finds, the best first
Known = Mapping[int, Sequence[Passage]]  # what has been found for each prompt, by its id
DOCUMENTS = "documents"  # the column with the titles that a question needs


def average_precision(found: Sequence[str], wanted: Collection[str]) -> float:
    """Return the average precision of a ranking: 1/|W| Σ_k [d_k ∈ W] |W ∩ {d_1, ..., d_k}| / k.

    1 where the wanted documents are found and stand at the top, 0 where none is found.
    """
    hits, total = 0, 0.0
    for k, document in enumerate(found, 1):
        if document in wanted:
            hits += 1
            total += hits / k
    return total / len(wanted)


def needed(prompt: Prompt) -> list[str]:
    """Return the titles that a question needs. Raises DataError where the column does not say them."""
    titles = prompt.columns.get(DOCUMENTS)
    if isinstance(titles, str) or not titles:
        raise DataError(f"{prompt.where or 'a prompt'}: the column {DOCUMENTS} must list the titles that it needs")
    return [str(title) for title in titles]


def by_retrieval(queries: Iterable[Episode], find: Find, known: Known) -> list[Episode]:
    """Reward queries with the average precision of what they find, among the documents that are not known yet."""
    return [
        replace(q, reward=average_precision([d.title for d in find(q.text)], _missing(q.prompt, known)))
        for q in queries
    ]


def open_questions(prompts: Iterable[Prompt], known: Known) -> list[Prompt]:
    """Return the questions of which a document is still to be found."""
    return [p for p in prompts if _missing(p, known)]


def requests(prompts: Iterable[Prompt], known: Known, text: str) -> list[Prompt]:
    """Return prompts for the next query: what is known of a question, and the request, stand at its end."""
    shown = {i: "".join(f"\n{d.title}: {d.text}" for d in documents) for i, documents in known.items()}
    return [replace(p, prompt=extended(p.prompt, f"{shown[p.id]}{text}")) for p in prompts]


def _missing(prompt: Prompt, known: Known) -> set[str]:
    return set(needed(prompt)) - {d.title for d in known[prompt.id]}
