"""The same comparisons for methods that read other records: ratings, rankings, demonstrations, prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.dataset import Dataset
from posttrain.records import Demonstration, Pair, Prompt, Ranking, Rating
from posttrain.seeds import seed_for


def of_pairs(pairs: Sequence[Pair], name: str) -> dict[str, Dataset]:
    """Kind of record -> dataset. A pair is two ratings, a ranking of two, and a demonstration of the preferred answer.

    `chosen_reward` and `rejected_reward` become the `reward` of each answer.
    """
    made: dict[str, list[Any]] = {kind: [] for kind in ("pairs", "ratings", "rankings", "demonstrations", "prompts")}
    for p in pairs:
        rewards = [{"reward": p.columns[c]} if c in p.columns else {} for c in ("chosen_reward", "rejected_reward")]
        both = {"reward": [r["reward"] for r in rewards]} if all(rewards) else {}
        thumbs = ((p.id, p.chosen, True), (seed_for("rejected", p.id), p.rejected, False))
        made["pairs"].append(p)
        made["ratings"] += [
            Rating(i, p.prompt, said, good, own, p.where) for (i, said, good), own in zip(thumbs, rewards, strict=True)
        ]
        made["rankings"].append(Ranking(p.id, p.prompt, (p.chosen, p.rejected), both, p.where))
        made["demonstrations"].append(Demonstration(p.id, p.prompt, p.chosen, p.where, rewards[0]))
        made["prompts"].append(Prompt(p.id, p.prompt, _shared(p.columns), p.where))
    return {kind: Dataset(tuple(records), f"{kind} of {name}") for kind, records in made.items()}


def _shared(columns: Mapping[str, Any]) -> dict[str, Any]:
    """What a question keeps of the columns of its pair."""
    return {n: x for n, x in columns.items() if not n.startswith(("chosen_", "rejected_")) and n != "margin"}
