"""Whole plans by say, can and pay."""

from __future__ import annotations

import pytest

from posttrain.learners.planning.crafting_skills import crafting_skills
from posttrain.learners.planning.say_can import DONE, Instructed, best_skills
from posttrain.learners.planning.say_can_pay import Silent, compared, expert_paths, following, leads, planned, taught
from posttrain.learners.planning.skills import practise
from posttrain.learners.speaker import Question, Scripted
from posttrain.learners.worlds.crafting import Crafted, Crafting

pytestmark = pytest.mark.paper("hazra20242in")
WORLD = Crafting(slip=0.0, length=2)
SKILLS = practise(WORLD, crafting_skills(WORLD), seed=0)
TABLE, TRUTH = WORLD.table(), best_skills(WORLD, SKILLS)
AFTER = leads(TABLE, SKILLS)
NAMES = [*(p.skill.name for p in SKILLS), DONE]


def test_a_skill_leads_to_its_likeliest_end():
    assert AFTER[Crafted(1), NAMES.index("find a tree")] == Crafted(0)
    assert AFTER[Crafted(0, 1), NAMES.index("saw planks")] == Crafted(0, 0, 4)
    assert AFTER[Crafted(0), NAMES.index("saw planks")] == Crafted(0)  # it never succeeds


def test_an_expert_ends_with_done_wherever_it_begins():
    paths = expert_paths(TABLE, TRUTH, NAMES, AFTER, 5, seed=0)
    assert len({path[0][0] for path in paths}) > 1
    for path in paths:
        assert NAMES[path[-1][1]] == DONE
        assert path[-1][0].pickaxe
        assert all(TRUTH[s] == NAMES[k] for s, k in path)


@pytest.mark.parametrize("width", [1, 3])
def test_a_speaker_that_is_right_plans_the_shortest_way_without_any_expert(width):
    told = Instructed(WORLD, SKILLS, Scripted(1.0), TRUTH, stops=True)
    plan = planned(told, Crafted(1), AFTER, taught([], 7, 0), width=width, longest=12)
    assert [NAMES[k] for k in plan[-2:]] == ["build the pickaxe", DONE]
    assert len(plan) == 9


def test_an_expert_who_was_here_needs_no_speaker():
    told = Instructed(WORLD, SKILLS, Silent(), TRUTH, stops=True)
    state, path = Crafted(1), []
    while TRUTH[state] != DONE:
        path.append((state, NAMES.index(TRUTH[state])))
        state = AFTER[path[-1]]
    path.append((state, NAMES.index(DONE)))
    plan = planned(told, Crafted(1), AFTER, taught([path], 7, 0), width=2, longest=12)
    assert plan == tuple(k for _, k in path)


def test_a_plan_is_followed_to_its_end():
    choose = following((3, 1))
    assert [choose(None, h) for h in ((), (3,))] == [3, 1]
    assert choose(None, (3, 1)) > 100
    assert Silent().answer([Question("?")]) == [None]


def test_with_a_speaker_more_is_made_than_by_few_experts():
    made = compared(WORLD, Scripted(1.0), [0, 1, 2], experts=1, width=1, most=10, practice=150)
    assert made.helped == [1.0, 1.0, 1.0]
    assert sum(made.alone) < 3
    assert made.kept[0][-1] == DONE
