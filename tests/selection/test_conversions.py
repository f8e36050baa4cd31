"""Comparisons said with other records: nothing is lost, invented or turned round."""

from __future__ import annotations

from posttrain.records import Demonstration, Pair, Prompt, Ranking
from posttrain.selection.conversions import of_pairs

PAIRS = [
    Pair(1, "a", "good", "bad", {"chosen_reward": 2.0, "rejected_reward": -1.0, "margin": 3.0, "person": "x"}, "f:1"),
    Pair(2, "b", "right", "wrong", {}, "f:2"),
]


def test_every_kind_of_record():
    made = of_pairs(PAIRS, "file")
    assert set(made) == {"pairs", "ratings", "rankings", "demonstrations", "prompts"}
    assert list(made["pairs"]) == PAIRS
    assert [(r.prompt, r.completion, r.label) for r in made["ratings"]] == [
        ("a", "good", True), ("a", "bad", False), ("b", "right", True), ("b", "wrong", False),
    ]  # fmt: skip
    assert list(made["rankings"]) == [
        Ranking(1, "a", ("good", "bad"), {"reward": [2.0, -1.0]}, "f:1"),
        Ranking(2, "b", ("right", "wrong"), {}, "f:2"),
    ]
    assert {kind: d.name for kind, d in made.items()} == {kind: f"{kind} of file" for kind in made}
    assert made["demonstrations"][0].columns == {"reward": 2.0}
    assert made["demonstrations"][1] == Demonstration(2, "b", "right", "f:2", {})
    assert list(made["prompts"]) == [Prompt(1, "a", {"person": "x"}, "f:1"), Prompt(2, "b", {}, "f:2")]


def test_ids_are_unique_and_rewards_go_to_their_answer():
    ratings = of_pairs(PAIRS, "file")["ratings"]
    assert len({r.id for r in ratings}) == 4
    assert all(isinstance(r.id, int) for r in ratings)
    assert [r.columns for r in ratings] == [{"reward": 2.0}, {"reward": -1.0}, {}, {}]
