"""A graph that a speaker wrote, and what one does by it."""

from __future__ import annotations

import pytest

from posttrain.learners.planning.crafting_skills import GRAPH, crafting_skills, owned
from posttrain.learners.planning.graph_planner import ask_graph, by_plan, compared
from posttrain.learners.planning.say_can import episode
from posttrain.learners.planning.skill_graph import Node
from posttrain.learners.planning.skills import practise
from posttrain.learners.speaker import Scripted, Speaker
from posttrain.learners.worlds.crafting import Crafted, Crafting

WORLD = Crafting(slip=0.0)
SKILLS = practise(WORLD, crafting_skills(WORLD), seed=0)
pytestmark = pytest.mark.paper("002:Plan4MC")


def items(state):
    return owned(WORLD, state)


def otherwise(state, history):
    return 5 + len(history)


class Knows(Speaker):
    def __init__(self, said):
        self.said, self.asked = said, []

    def answer(self, questions):
        self.asked += questions
        return self.said

    def probabilities(self, questions):
        raise NotImplementedError


def test_a_speaker_that_is_right_writes_the_graph():
    assert ask_graph(Scripted(1.0), GRAPH) == GRAPH
    wrong = ask_graph(Scripted(0.0), GRAPH)
    assert wrong.keys() == GRAPH.keys()
    assert all(wrong[name] != GRAPH[name] for name in GRAPH)


def test_what_cannot_be_read_is_left_out_and_all_are_asked_together():
    speaker = Knows(["consume: nothing; require: nothing; obtain: 1 tree nearby", None, "?", "", "yes", "no"])
    assert ask_graph(speaker, GRAPH) == {"find a tree": Node(obtain={"tree nearby": 1})}
    assert len(speaker.asked) == 6
    assert "'saw planks'" in speaker.asked[3].text
    assert "log, plank" in speaker.asked[3].text


def test_the_right_graph_takes_the_shortest_way():
    choose = by_plan(GRAPH, "pickaxe", SKILLS, items, otherwise)
    assert episode(WORLD, SKILLS, choose, seed=0, most=20) == (1.0, 8)


def test_the_plan_is_made_anew_from_what_is_owned():
    choose = by_plan(GRAPH, "pickaxe", SKILLS, items, otherwise)
    names = [p.skill.name for p in SKILLS]
    assert names[choose(Crafted(1), (0,))] == "find a tree"  # the first skill failed: it is tried again
    assert names[choose(Crafted(2, 0, 5), ())] == "carve sticks"
    assert choose(Crafted(0, 0, 0, 0, 1), ()) == len(SKILLS)  # nothing is left to do


def test_where_there_is_no_plan_something_else_decides():
    choose = by_plan({}, "pickaxe", SKILLS, items, otherwise)
    assert choose(Crafted(2), (1, 2)) == 7


def test_the_right_graph_makes_more_than_what_is_possible():
    made = compared(Crafting(length=2), Scripted(1.0), [0, 1, 2], most=9, practice=150)
    assert made.helped == [1.0, 1.0, 1.0]
    assert sum(made.alone) < 2
    assert made.numbers == {"right": 1.0}
    assert made.kept["saw planks"] == "consume: 1 log; require: nothing; obtain: 4 plank"
    assert compared(Crafting(length=2), Scripted(0.0), [0], most=9, practice=50).numbers == {"right": 0.0}
