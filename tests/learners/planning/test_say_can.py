"""Say, can, pay: the choice is the product rule, by enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from posttrain.learners.planning.crafting_skills import crafting_skills
from posttrain.learners.planning.say_can import (
    DONE,
    Instructed,
    beam,
    best_skills,
    by_product,
    compared,
    episode,
    product_rule,
    without_speaker,
)
from posttrain.learners.planning.skills import practise
from posttrain.learners.speaker import Scripted, Speaker
from posttrain.learners.worlds.crafting import Crafted, Crafting

WORLD = Crafting(slip=0.0)
SKILLS = practise(WORLD, crafting_skills(WORLD), seed=0)
TRUTH = best_skills(WORLD, SKILLS)
NAMES = [p.skill.name for p in SKILLS]
pytestmark = pytest.mark.paper("002:SayCan")


class Says(Speaker):
    """Gives the options these probabilities, or nothing that could be read."""

    def __init__(self, *probabilities):
        self.probability = probabilities or None

    def answer(self, questions):
        raise NotImplementedError

    def probabilities(self, questions):
        return [self.probability for _ in questions]


def test_golden():
    assert product_rule([0.6, 0.3, 0.1], [0.1, 0.9, 0.9]) == pytest.approx([0.06, 0.27, 0.09])
    assert product_rule([0.6, 0.3], [0.5, 0.5], [0.1, 1.0]) == pytest.approx([0.03, 0.15])


def test_the_choice_is_the_largest_product_in_every_state():
    table, random = WORLD.table(), np.random.default_rng(0)
    for state in table.states:
        p = random.dirichlet(np.ones(7))
        told = Instructed(WORLD, SKILLS, Says(*p), TRUTH, stops=True)
        products = [p[k] * SKILLS[k].affordance(state) for k in range(6)] + [p[6]]
        assert by_product(told)(state, ()) == products.index(max(products))
        assert by_product(told, affordances=False)(state, ()) == p.argmax()


def test_a_constant_factor_changes_no_choice():
    p, c = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.9, 0.4])
    for factor in (0.01, 1.0, 7.0):
        assert product_rule(factor * p, c).argmax() == product_rule(p, factor * c).argmax() == 1


def test_equal_usefulness_leaves_the_affordances():
    told = Instructed(WORLD, SKILLS, Says(), TRUTH)  # a reply that nobody could read
    assert told.useful(Crafted(0), ()) == pytest.approx([1 / 6] * 6)
    for state in WORLD.table().states:
        assert by_product(told)(state, ()) == told.possible(state).argmax()


def test_what_cannot_be_done_is_not_affordable():
    tree = Instructed(WORLD, SKILLS, Says(), TRUTH, stops=True).possible(Crafted(0))
    assert tree == pytest.approx([1, 0.95**2, 1, 0, 0, 0, 1], abs=0.02)


def test_the_truth_is_the_shortest_plan():
    assert TRUTH[Crafted(2)] == "find a tree"
    assert TRUTH[Crafted(0, 1)] in ("chop a log", "saw planks")
    assert TRUTH[Crafted(0, 0, 6, 4)] == "find the workbench"
    assert TRUTH[Crafted(3, 0, 3, 2, 1)] == DONE


def test_a_speaker_that_is_right_needs_no_more_than_the_shortest_plan():
    told = Instructed(WORLD, SKILLS, Scripted(1.0), TRUTH, stops=True)
    assert episode(WORLD, SKILLS, by_product(told), seed=0, most=20) == (1.0, 8)
    assert episode(WORLD, SKILLS, by_product(told), seed=0, most=7) == (0.0, 7)


def test_done_ends_the_episode():
    told = Instructed(WORLD, SKILLS, Says(*[0.0] * 6, 1.0), TRUTH, stops=True)
    assert told.names()[-1] == DONE
    assert episode(WORLD, SKILLS, by_product(told), seed=0, most=20) == (0.0, 0)


def test_without_a_speaker_only_what_is_possible_is_drawn():
    chosen = {without_speaker(SKILLS, seed)(Crafted(0), ()) for seed in range(40)}
    assert chosen == {0, 1, 2}
    assert without_speaker([], 0)(Crafted(0), ()) == 0


# ---- plans

SCORES = {0: (0.5, 0.4, 0.1), 1: (0.1, 0.8, 0.3), 2: (0.3, 0.3, 0.2)}  # by state; the third skill is to be done


def mean_log(plan):
    state, total = 0, 0.0
    for k in plan:
        total += np.log(SCORES[state][k])
        state = (state + k + 1) % 3
    return total / len(plan)


def planned(width, longest=4):
    return beam(0, lambda s, _: np.array(SCORES[s]), lambda s, k: (s + k + 1) % 3, done=2, width=width, longest=longest)


def test_a_beam_that_loses_nothing_finds_the_best_of_all_plans():
    every = [(*plan, 2) if n < 4 else plan for n in range(5) for plan in product((0, 1), repeat=n) if plan or n == 0]
    assert mean_log(planned(width=1000)) == pytest.approx(max(map(mean_log, every)))


def test_a_beam_of_one_is_the_greedy_choice():
    assert planned(width=1) == (0, 1, 0, 1)
    assert planned(width=1, longest=2) == (0, 1)


def test_what_has_no_chance_is_in_no_plan():
    assert beam(0, lambda s, _: np.zeros(2), lambda s, _: s, done=1, width=3, longest=3) == ()  # noqa: ARG005
    assert beam(0, lambda s, _: np.array([0.0, 0.1]), lambda s, _: s, done=1, width=3, longest=3) == (1,)  # noqa: ARG005


def test_with_a_speaker_more_is_made_than_by_what_is_possible():
    made = compared(Crafting(length=2), Scripted(1.0), [0, 1, 2], most=9, stops=False, practice=150)
    assert made.helped == [1.0, 1.0, 1.0]
    assert made.numbers == {"say": 1.0}
    assert sum(made.alone) < 2
    assert made.kept["You are at the tree. You carry nothing."]["chop a log"] == 1.0
