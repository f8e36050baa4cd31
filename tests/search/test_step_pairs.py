"""Pairs of steps: which siblings are compared, and that both answers begin with the same tokens."""

from __future__ import annotations

import pytest

from posttrain.records import Prompt
from posttrain.search.found import Found
from posttrain.search.puct import back_up
from posttrain.search.step_pairs import step_pairs
from posttrain.search.tree import ROOT, Tree
from posttrain.seeds import seed_for
from tests.search.worlds import step

PROMPT = Prompt(5, "x?", {"answer": "3"}, "file:1", {"tools": ()})


def found() -> Found:
    """a: 1, -1 and 0 behind it, so Q = 0; b: -1; c was never visited. Behind a, d is 1 and e -1."""
    tree = Tree()
    tree.add(ROOT, [step("b"), step("a"), step("c")])
    tree.add(2, [step("d", ended=True), step("e", ended=True), step("f")])
    for n, value in ((4, 1.0), (5, -1.0), (2, 0.0), (1, -1.0)):
        back_up(tree, n, value)
    return Found(PROMPT, (7,), tree, ())


@pytest.mark.paper("chen20244ev")
def test_every_two_siblings_whose_values_differ_enough_are_a_pair():
    shown = [(p.chosen.text, p.rejected.text) for p in step_pairs([found()])]
    assert shown == [("a", "b"), ("ad", "ae")]
    assert [p.chosen.text for p in step_pairs([found()], margin=1.0)] == ["ad"]
    assert step_pairs([found()], margin=2.0) == []


def test_the_steps_before_are_read_and_the_values_are_columns():
    pair = step_pairs([found()])[1]
    assert (pair.prompt, pair.where, pair.arguments) == ("x?", "file:1", {"tools": ()})
    assert (pair.chosen.tokens, pair.chosen.read) == ((97, 100), 1)
    assert (pair.rejected.tokens, pair.rejected.read) == ((97, 101), 1)
    assert pair.columns == {"answer": "3", "chosen_reward": 1.0, "rejected_reward": -1.0}
    assert step_pairs([found()])[0].chosen.read == 0
    assert pair.id == seed_for("steps", PROMPT.id, 97, 100, -1, 97, 101)


def test_pairs_never_mix_prefixes_and_have_names_of_their_own():
    pairs = step_pairs([found(), Found(Prompt(6, "y?"), (7,), found().tree, ())])
    assert all(p.chosen.tokens[: p.chosen.read] == p.rejected.tokens[: p.rejected.read] for p in pairs)
    assert len({p.id for p in pairs}) == 4
