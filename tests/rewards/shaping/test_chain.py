"""Transforms in a row: what each sees, abstentions, baselines, and orders that cannot be."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.rewards.shaping.chain import Answers, Chain
from posttrain.rewards.shaping.transform import transforms

ENDED = [True, True, False, True]
TWO_PROMPTS = Answers([[0, 2], [1, 3]], [10, 20, 30, 40], list("abcd"), ENDED, [[1.0], [2.0, 4.0], [1.0], []])


def chain(*specs):
    return Chain("r", transforms(specs))


def test_each_sees_what_it_asks_for():
    scores = [1.0, 2.0, 3.0, 8.0]
    assert chain("centre")(scores, TWO_PROMPTS) == [-1, -3, 1, 3]
    assert chain({"path": "whiten", "eps": 1.0})([1.0, 3.0, 1.0, 3.0], TWO_PROMPTS) == [-0.5, 0.5, -0.5, 0.5]
    assert chain({"path": "length_penalty", "per_token": 0.1})(scores, TWO_PROMPTS) == [0, 0, 0, 4]
    assert chain({"path": "unended", "penalty": 4})(scores, TWO_PROMPTS) == [1, 2, -1, 8]
    sloped = chain("length_regression")
    assert sloped([1.0, None, 3.0, 4.0], TWO_PROMPTS) == [pytest.approx(8 / 3), None, *[pytest.approx(8 / 3)] * 2]
    assert chain("contrastive")(scores, TWO_PROMPTS) == [0, -1, 2, None]  # the last prompt has no baseline


def test_in_order_and_the_baselines_pass_through_what_stands_before():
    assert chain({"path": "scale", "divide": 2}, "contrastive")([4.0, 4.0, 4.0, 4.0], TWO_PROMPTS) == [
        1.5,
        0.5,
        1.5,
        None,
    ]
    made = chain("contrastive", {"path": "clip", "high": 0.5})
    assert made([4.0, 4.0, 4.0, 4.0], TWO_PROMPTS) == [0.5, 0.5, 0.5, None]
    assert str(made) == "clip(contrastive(r), high=0.5)"


def test_what_abstained_stays_so_and_counts_in_no_mean():
    assert chain("centre")([None, 2.0, 3.0, None], TWO_PROMPTS) == [None, 0, 0, None]
    assert chain("whiten")([None] * 4, TWO_PROMPTS) == [None] * 4


def test_a_state_goes_from_batch_to_batch():
    made = chain("running_whiten")
    assert made.learns
    made([1.0, 3.0, None, None], TWO_PROMPTS)
    assert made.state == {0: [2, 2.0, 2.0]}
    again = chain("running_whiten")
    again.state = {0: [2, 2.0, 2.0]}
    assert again([8.0] * 4, TWO_PROMPTS) == made([8.0] * 4, TWO_PROMPTS)


def test_orders_and_numbers_that_cannot_be():
    for before in ("whiten", "contrastive"):
        with pytest.raises(ConfigError, match=f"preference compares with baseline answers.*pass through {before}"):
            chain(before, "preference")
    with pytest.raises(ConfigError, match="transform nan of 'r' returned nan, which is no finite number"):
        chain(nan)([1.0], TWO_PROMPTS)
    with pytest.raises(ConfigError, match="short of 'r' returned 1 numbers for 2 scores"):
        chain(short)([1.0, 1.0, 1.0, 1.0], TWO_PROMPTS)
    with pytest.raises(
        ConfigError, match="it judges spans or turns, and centre does not transform one number at a time"
    ):
        chain("clip", "centre").part(1.0)
    assert chain("clip", {"path": "scale", "divide": 2}).part(3.0) == 0.5


def nan(score):
    return float("nan")


def short(group):
    return group[:1]
