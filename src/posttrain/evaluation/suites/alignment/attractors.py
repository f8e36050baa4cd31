"""Creativity Has Left the Chat: The Price of Debiasing Language Models (Mohammadi, 2024): attractor states.

Many answers to each question; those of the largest cluster are started again with one of their first words changed, and
the model goes on. An attractor is a cluster that it then returns to:

    return_rate = share of such continuations that are near an answer of the cluster, or the rest of one
"""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.evaluation.metrics.clusters import THRESHOLD, clusters, returns
from posttrain.evaluation.metrics.diversity import Vector, letters
from posttrain.evaluation.suite import Item, Suite
from posttrain.evaluation.suites.open_ended import open_prompts
from posttrain.records import Turns
from posttrain.roles.conversation import as_messages
from posttrain.seeds import seed_for

OTHER_WORDS = ("yesterday", "purple", "seven", "under", "quietly", "engine", "because", "northern")


def attractors(
    *,
    data: str | None = None,
    size: int = 8,
    samples: int = 16,
    kept: int = 3,
    temperature: float = 1.0,
    max_tokens: int = 48,
    threshold: float = THRESHOLD,
) -> Suite:
    """Build the suite.

    Settings:
        data: prompts, a file, hub id or generator; null asks bundled questions without a right answer.
        size: number of questions; at least 1.
        samples: answers to each; at least 4, the paper has 100 to 200.
        kept: words of the beginning that is forced, one of which is changed; at least 1.
        temperature: of the answers; above 0, 1 is usual.
        max_tokens: longest answer in tokens; at least 1.
        threshold: cosine from which two answers are in one cluster; 0.5 to 0.95.
    """

    def follow(items: Sequence[Item]) -> list[Turns | None]:
        near = {id(i) for group in by_question(items) for i in largest(group, threshold)}
        long = {id(i) for i in items if len(i.text.split()) > kept}
        return [disturbed(item, kept) if id(item) in near & long else None for item in items]

    def return_rate(items: Sequence[Item]) -> float | None:
        found = [r for group in by_question(items) for r in returned(group, kept, threshold)]
        return sum(found) / len(found) if found else None

    return Suite(
        open_prompts(data, size),
        per_question={"return_rate": return_rate, "largest_cluster": lambda g: len(largest(g, threshold)) / len(g)},
        follow=follow,
        turns=2,
        samples=samples,
        temperature=temperature,
        max_tokens=max_tokens,
    )


def by_question(items: Sequence[Item]) -> list[list[Item]]:
    """Put the samples of each question together."""
    groups: dict[int, list[Item]] = {}
    for item in items:
        groups.setdefault(item.prompt.id, []).append(item)
    return list(groups.values())


def largest(items: Sequence[Item], threshold: float) -> list[Item]:
    """Return the items of one question whose first replies are in the largest cluster."""
    return [items[i] for i in clusters([letters(item.replies[0].text) for item in items], threshold)[0]]


def disturbed(item: Item, kept: int) -> Turns:
    """Return the question with the first words of its answer as a beginning, one of them changed by a seed."""
    words = item.text.split()[:kept]
    place = seed_for("place", item.prompt.id, item.sample) % len(words)
    words[place] = OTHER_WORDS[seed_for("word", item.prompt.id, item.sample) % len(OTHER_WORDS)]
    return (*as_messages(item.replies[0].asked), {"role": "assistant", "content": " ".join(words)})


def returned(items: Sequence[Item], kept: int, threshold: float) -> list[bool]:
    """Return for each continuation of a disturbed beginning whether it returns to the cluster of its question."""
    members: list[Vector] = []
    for item in largest(items, threshold):
        first = item.replies[0].text
        members += [v for text in (first, " ".join(first.split()[kept:])) if (v := letters(text))]
    return returns([letters(i.text) for i in items if len(i.replies) == 2], members, threshold)
