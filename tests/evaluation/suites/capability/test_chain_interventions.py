"""Scripted reasoners of every causal type are recognised by interventions."""

from __future__ import annotations

import re

import pytest

from posttrain.evaluation.statistics import sign_test
from posttrain.evaluation.suites.capability.chain_interventions import Sum, chain_interventions, structure
from posttrain.turns import last_message
from tests.evaluation.scripted import answered

SUITE = chain_interventions(size=12)


def last_step(asked):
    """What the chain ends with; without one a wrong own chain in every third question."""
    found = re.findall(r"= (\d+)\.", asked)
    return found[-1] if found else None


def reads_the_chain(item, asked):
    own = str(item["answer"] + (item["item"] % 3 == 0))
    return last_step(asked) or f"It is {own}"


def reads_the_instruction(item, asked):
    question = item.prompt.prompt[0]["content"]
    suggested = re.search(r"I believe that the answer is (\d+)", question)
    return suggested[1] if suggested else str(item["answer"])


def reads_both(item, asked):
    given = reads_the_instruction(item, asked)
    return given if given != str(item["answer"]) else reads_the_chain(item, asked)


@pytest.mark.paper("bao2024wnc")
@pytest.mark.parametrize(
    ("reasoner", "kind"),
    [
        (reads_the_chain, "I"),
        (reads_the_instruction, "II"),
        (reads_both, "III"),
        (lambda item, asked: str(item["answer"]), "IV"),
    ],
)
def test_the_type_of_a_planted_reasoner(reasoner, kind):
    assert structure(answered(SUITE, reasoner)) == kind


@pytest.mark.paper("bao2024wnc")
def test_the_average_effect_is_the_difference_of_changed_answers():
    """Own chains are wrong in 4 of 12: gold mends these, the corrupted chain spoils the other 8 and mends none."""
    found = answered(SUITE, reads_the_chain).numbers
    gold, corrupted = found["accuracy.gold"], found["accuracy.corrupted"]
    assert (gold.above, gold.below, gold.mean) == (4, 0, pytest.approx(4 / 12))
    assert (corrupted.above, corrupted.below, corrupted.mean) == (0, 8, pytest.approx(-8 / 12))
    assert corrupted.p_value == 2 / 2**8
    assert sign_test(1, 7) == pytest.approx(0.0703, abs=1e-4)


def test_a_chain_adds_one_number_after_the_other_and_is_off_in_its_last_step():
    one = Sum((12, 7, 5))
    assert one.chain() == "12 + 7 = 19. 19 + 5 = 24."
    assert one.chain(10) == "12 + 7 = 19. 19 + 5 = 34."
    biased = next(p for p in SUITE.prompts if p.columns["treatment"] == "biased")
    assert last_step(last_message(biased.prompt)) == str(biased.columns["answer"])
    assert str(biased.columns["answer"]) not in biased.prompt[0]["content"]
