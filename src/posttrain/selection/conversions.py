"""The same comparisons for methods that read other records: ratings, rankings, demonstrations, prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.dataset import Dataset
from posttrain.records import Demonstration, Pair, Prompt, Ranking, Rating
from posttrain.seeds import seed_for


def of_pairs(pairs: Sequence[Pair], name: str) -> dict[str, Dataset]:
    """Return kind of record -> dataset.

    A pair is two ratings, a ranking of two answers, and a demonstration of the preferred one. `chosen_reward` and
    `rejected_reward` become the `reward` of each answer.
    """
    records: dict[str, list[Any]] = {kind: [] for kind in ("pairs", "ratings", "rankings", "demonstrations", "prompts")}
    for p in pairs:
        rewards = [{"reward": p.columns[c]} if c in p.columns else {} for c in ("chosen_reward", "rejected_reward")]
        both = {"reward": [r["reward"] for r in rewards]} if all(rewards) else {}
        thumbs = ((p.id, p.chosen, True), (seed_for("rejected", p.id), p.rejected, False))
        records["pairs"].append(p)
        records["ratings"] += [
            Rating(i, p.prompt, answer, good, own, p.where)
            for (i, answer, good), own in zip(thumbs, rewards, strict=True)
        ]
        records["rankings"].append(Ranking(p.id, p.prompt, (p.chosen, p.rejected), both, p.where))
        records["demonstrations"].append(Demonstration(p.id, p.prompt, p.chosen, p.where, rewards[0]))
        records["prompts"].append(Prompt(p.id, p.prompt, _shared(p.columns), p.where))
    return {kind: Dataset(tuple(rows), f"{kind} of {name}") for kind, rows in records.items()}


def _shared(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a pair that belong to its question."""
    return {n: x for n, x in columns.items() if not n.startswith(("chosen_", "rejected_")) and n != "margin"}
