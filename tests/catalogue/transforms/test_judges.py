"""Judges of a method by name."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.parts import PartError


@pytest.mark.parametrize("name", ["crpg", "crraft", "codpo"])
def test_judges_take_the_place_of_the_cost(name):
    method = load(f"online/{name}")
    made = configure(method, {"judges": ["safe", "factual"]})
    assert method.derived["allowed"].part.needs == {"cost"}
    assert made.derived["allowed"].part.needs == {"reward_safe", "reward_factual"}
    assert made.columns == {"reward": "B", "reward_safe": "B", "reward_factual": "B"}


@pytest.mark.parametrize("names", [[], "a", ["a", "a"], ["a b"], [1]])
def test_judges_are_names_of_different_rewards(names):
    with pytest.raises(PartError, match=r"method.judges must be a list of names"):
        configure(load("online/crpg"), {"judges": names})


def test_a_method_without_constraints_asks_nobody():
    with pytest.raises(PartError, match=r"method.judges: grpo learns from every answer"):
        configure(load("online/grpo"), {"judges": ["safe"]})
