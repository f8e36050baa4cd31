"""What a search has found, as episodes and as plain data."""

from __future__ import annotations

import json

from posttrain.records import Prompt
from posttrain.search.found import Found
from posttrain.search.tree import ROOT, Tree
from tests.search.worlds import step

PROMPT = Prompt(5, "x?", {"answer": "3"}, "file:1")


def found(*answers: int) -> Found:
    tree = Tree()
    tree.add(ROOT, [step("ab", 0.5), step("c")])
    tree.add(1, [step("d", 0.25, ended=True)])
    return Found(PROMPT, (7, 8), tree, answers)


def test_an_answer_is_an_episode_of_the_tokens_that_were_drawn():
    e = found(3).episode(3)
    assert (e.prompt, e.prompt_tokens, e.tokens, e.text, e.ended) == (PROMPT, (7, 8), (97, 98, 100), "abd", True)
    assert e.logp == found().tree.answer(3).logp
    assert e.sample == 3


def test_the_last_step_stands_behind_all_before_it():
    e = found().last_step(3)
    assert (e.prompt_tokens, e.tokens, e.text, e.ended) == ((7, 8, 97, 98), (100,), "d", True)
    assert found().last_step(1).prompt_tokens == (7, 8)
    assert found().last_step(ROOT).tokens == ()


def test_the_best_is_the_first_answer_else_the_deepest_node():
    assert found(2, 3).best == 2
    assert found().best == 3


def test_it_is_plain_data():
    one = found(3, 2)
    again = Found.restored(json.loads(json.dumps(one.state())), {5: PROMPT})
    assert (again.prompt, again.asked, again.answers) == (one.prompt, one.asked, one.answers)
    assert vars(again.tree) == vars(one.tree)


def test_without_an_answer_the_deepest_node_counts_and_not_the_newest():
    tree = Tree()
    tree.add(ROOT, [step("a")])
    tree.add(1, [step("b")])
    tree.add(ROOT, [step("c")])
    assert Found(PROMPT, (7,), tree, ()).best == 2
