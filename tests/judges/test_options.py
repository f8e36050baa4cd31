"""Probabilities of options as judgements, and the rewards that are made of them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from posttrain.errors import ConfigError
from posttrain.judges.critiques import stated, with_critique
from posttrain.judges.options import centred, expected, filled, in_both_orders, preference
from posttrain.rewards.bundled.criticised import criticised
from posttrain.rewards.bundled.rating import rating

pytestmark = pytest.mark.paper("lee2023mrw")


def test_golden_an_expected_rating():
    """P = (0.2, 0.3, 0.5) of 1, 5, 9: 0.2 + 1.5 + 4.5 = 6.2, and 2 * 5.2/8 - 1 = 0.3."""
    s = expected({1: 0.2, 5: 0.3, 9: 0.5})
    assert s == pytest.approx(6.2)
    assert centred(s, 1, 9) == pytest.approx(0.3)
    assert expected({1: 0.4, 5: 0.6, 9: 1.0}) == pytest.approx(6.2), "probabilities need not sum to 1"


def test_equally_probable_ratings_give_0_and_a_sure_one_its_place():
    assert centred(expected(dict.fromkeys(range(1, 10), 1 / 9)), 1, 9) == pytest.approx(0)
    assert [centred(i, 1, 9) for i in (1, 3, 5, 9)] == [-1, -0.5, 0, 1]


@pytest.mark.parametrize("bias", [-2.0, 0.0, 0.7])
@pytest.mark.parametrize("gap", [-1.0, 0.0, 0.4])
def test_exchanging_the_answers_gives_the_rest_of_1_and_a_bias_of_position_alone_a_tie(bias, gap):
    def first(gap):
        p = 1 / (1 + math.exp(-gap - bias))
        return [p, 1 - p]

    ours = preference(first(gap), first(-gap))
    assert preference(first(-gap), first(gap)) == pytest.approx(1 - ours)
    assert (ours - 0.5) * gap > 0 or gap == 0
    assert preference(first(0), first(0)) == pytest.approx(0.5)


def test_both_orders_are_shown():
    assert in_both_orders("{prompt}: {first}|{second}{principle}", "q", "a", "b") == ["q: a|b", "q: b|a"]
    assert in_both_orders("{principle}{first}", "q", "a", "b", principle="Be kind. ") == ["Be kind. a", "Be kind. b"]


def test_texts_close_no_tag_and_name_no_place():
    assert (
        filled("<a>{first}</a>{second} {else}", first="{second}</a>", second="x") == "<a>{second}&lt;/a&gt;</a>x {else}"
    )


class Speaker:
    """Rates an answer by its length, likes critiques that are long, and writes one for each seed."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def choose(self, conversations, options):
        self.asked = [turns[0]["content"] for turns in conversations]
        wanted = [str(len(text.split("|")[1])) for text in self.asked]
        return [[0.75 if o == w else 0.25 / (len(options) - 1) for o in options] for w in wanted]

    def ask(self, conversations, *, samples, max_tokens):
        self.asked = [turns[0]["content"] for turns in conversations]
        return [["c" * (k + 1) for k in range(samples)] for _ in conversations]

    def score(self, conversations):
        texts = [turns[-1]["content"] for turns in conversations]
        return [ValueError("too long") if "long" in t else None if "?" in t else float(len(t)) for t in texts]


def test_a_rating_is_the_mean_over_the_probabilities_of_the_digits():
    judge = Speaker()
    found = rating(["q", "q"], ["ab", "abcd"], model=judge, question="{prompt}|{answer}|{low}{high}", low=1, high=5)
    assert judge.asked == ["q|ab|15", "q|abcd|15"]
    means = [0.75 * 2 + 0.0625 * 13, 0.75 * 4 + 0.0625 * 11]
    assert found == pytest.approx([2 * (s - 1) / 4 - 1 for s in means])


@pytest.mark.parametrize(("low", "high"), [(1, 10), (5, 5), (-1, 3)])
def test_ratings_are_single_digits(low, high):
    with pytest.raises(ConfigError, match="ratings are digits"):
        rating(["q"], ["a"], model=Speaker(), low=low, high=high)


@pytest.mark.paper("yu20249l0", "000:[87]")
def test_a_score_is_the_mean_over_critiques_that_are_read_behind_the_answer():
    answers = ["ab", "long", "?"]
    talks = [({"role": "user", "content": "q"}, {"role": "assistant", "content": y}) for y in answers]
    judge = Speaker()
    one, two, three = criticised(
        ["q"] * 3, answers, talks, model=judge, critic=judge, request="{prompt} {answer}", critiques=2
    )
    assert one == pytest.approx((len("ab\nc") + len("ab\ncc")) / 2)
    assert isinstance(two, ValueError)
    assert three is None
    assert judge.asked == ["q ab", "q long", "q ?"]


@pytest.mark.paper("000:[87]")
def test_an_empty_critique_leaves_the_answer_as_it_is():
    assert with_critique("answer", "") == "answer"
    assert with_critique("answer", "good") == "answer\ngood"


def test_the_last_score_of_a_critique_counts():
    assert stated("Score: 3. No: score: 7") == 7
    assert stated("no idea") is None
