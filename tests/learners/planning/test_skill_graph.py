"""The graph of skills and its search: plans by hand, what is infeasible, and what was written badly."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from posttrain.learners.planning.crafting_skills import GRAPH, owned
from posttrain.learners.planning.skill_graph import InfeasibleError, Node, mistakes, plan, read_node, written
from posttrain.learners.worlds.crafting import Crafted, Crafting

pytestmark = pytest.mark.paper("002:Plan4MC")
TOY = {
    "find a tree": Node(obtain={"tree nearby": 1}),
    "chop": Node(require={"tree nearby": 1}, obtain={"log": 1}),
    "saw": Node({"log": 1}, {}, {"plank": 4}),
    "carve": Node({"plank": 2}, {}, {"stick": 4}),
    "join": Node({"plank": 4}, {}, {"table": 1}),
    "place": Node({"table": 1}, {}, {"table nearby": 1}),
    "build": Node({"plank": 3, "stick": 2}, {"table nearby": 1}, {"pickaxe": 1}),
}


def test_golden():
    """Three planks and two more for the sticks are two logs, the table is a third."""
    assert plan(TOY, {}, "pickaxe") == [
        *("find a tree", "chop", "saw", "chop", "saw", "carve"),
        *("chop", "saw", "join", "place", "build"),
    ]
    assert plan(TOY, {"plank": 5}, "pickaxe") == ["carve", "find a tree", "chop", "saw", "join", "place", "build"]
    assert plan(TOY, {"plank": 3, "stick": 2, "table nearby": 1}, "pickaxe") == ["build"]
    assert plan(TOY, {"pickaxe": 1}, "pickaxe") == []
    assert plan(TOY, {}, "stick", 5) == ["find a tree", "chop", "saw", "carve", "carve"]


def test_what_is_nearby_comes_last_and_is_left_behind_by_a_find():
    graph = {
        "find a bench": Node(obtain={"bench nearby": 1}),
        "find a tree": Node(obtain={"tree nearby": 1}),
        "fell": Node({}, {"tree nearby": 1}, {"log": 1}),
        "mill": Node({"log": 2}, {"bench nearby": 1, "saw": 1}, {"plank": 1}),
        "forge": Node({}, {"tree nearby": 1}, {"saw": 1}),
    }
    assert plan(graph, {"bench nearby": 1}, "plank") == ["find a tree", "fell", "fell", "forge", "find a bench", "mill"]


@pytest.mark.parametrize(
    ("graph", "item", "why"),
    [
        ({}, "pickaxe", "no skill makes it"),
        ({"build": Node({"plank": 1}, {}, {"pickaxe": 1})}, "plank", "no skill makes it"),
        ({"a": Node({"x": 1}, {}, {"y": 1}), "b": Node({"y": 1}, {}, {"x": 1})}, "x", "made from itself"),
        (
            {
                "find a": Node(obtain={"a nearby": 1}),
                "find b": Node(obtain={"b nearby": 1}),
                "use": Node({}, {"a nearby": 1, "b nearby": 1}, {"x": 1}),
            },
            "a nearby",
            "gone before use",
        ),
        ({"dig": Node(obtain={"clay": 1}), "bake": Node({"clay": 999}, {}, {"brick": 1})}, "brick", "more than 1000"),
    ],
)
def test_what_cannot_be_made_is_reported(graph, item, why):
    target, number = ("brick", 2) if item == "brick" else ("x" if "use" in graph or "a" in graph else "pickaxe", 1)
    with pytest.raises(InfeasibleError, match=why) as error:
        plan(graph, {}, target, number)
    assert error.value.item in (item, "clay")


def test_who_owns_more_needs_no_longer_plan():
    random = Random(0)
    for _ in range(200):
        less = Counter({item: random.randrange(4) for item in ("log", "plank", "stick", "table", "table nearby")})
        more = less + Counter({random.choice([*less]): random.randrange(1, 3)})
        assert len(plan(TOY, more, "pickaxe")) <= len(plan(TOY, less, "pickaxe"))


def test_a_plan_can_be_carried_out_and_ends_with_the_target():
    random = Random(1)
    for _ in range(100):
        items = Counter({item: random.randrange(3) for item in ("log", "plank", "stick", "table nearby")})
        for name in plan(TOY, items, "pickaxe"):
            node = TOY[name]
            assert all(items[i] >= n for i, n in (*node.consume.items(), *node.require.items()))
            items.subtract(node.consume)
            items.update(node.obtain)
        assert items["pickaxe"] == 1


def test_the_plan_is_that_of_the_world():
    assert plan(GRAPH, owned(Crafting(), Crafted(2)), "pickaxe") == [
        *("find a tree", "chop a log", "saw planks", "chop a log", "saw planks", "carve sticks"),
        *("find the workbench", "build the pickaxe"),
    ]


@pytest.mark.parametrize("node", [*TOY.values(), Node({"iron ore": 2, "coal": 1}, {}, {"iron": 1})])
def test_what_is_written_can_be_read(node):
    assert read_node(written(node)) == node
    wrong = [read_node(text) for text in mistakes(node, ["log", "plank", "stick"])]
    assert node not in wrong
    assert None not in wrong
    assert len(wrong) > 1


def test_mistakes_are_of_three_kinds():
    node = TOY["build"]
    assert [read_node(text) for text in mistakes(node, ["pickaxe", "log"])] == [
        Node(node.consume, node.require, {"log": 1}),
        Node(node.consume, {}, node.obtain),
        Node({"plank": 4, "stick": 3}, node.require, node.obtain),
    ]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "It consumes a log.",
        "consume: log; require: nothing; obtain: 4 plank",
        "consume: nothing; obtain: 1 log",
        "consume: 1 log; require: nothing; obtain: nothing",
        "consume: -1 log; require: nothing; obtain: 1 plank",
        "consume: 1000 log; require: nothing; obtain: 1 plank",
    ],
)
def test_what_is_no_skill_is_not_read(text):
    assert read_node(text) is None


def test_a_reply_in_other_words_is_read():
    text = "Sure!\nConsumes: 1 Log; Requires: none; Obtains: 4 planks."
    assert read_node(text) == Node({"log": 1}, {}, {"planks": 4})
