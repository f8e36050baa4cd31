"""Models ranked by people and by scores."""

from __future__ import annotations

import pytest

from posttrain.evaluation.reward_models.judged import JudgedPair
from posttrain.evaluation.reward_models.model_ranking import model_ranking

pytestmark = pytest.mark.paper("frick20248mv")
WORTH = {"a": 2.0, "b": 1.0, "c": 0.0}


def arena(score, games: int = 30) -> list[JudgedPair]:
    """People always prefer a to b to c."""
    return [
        JudgedPair(score(WORTH[w]), score(WORTH[x]), columns={"chosen_model": w, "rejected_model": x})
        for w, x in ("ab", "ac", "bc")
        for _ in range(games)
    ]


@pytest.mark.parametrize(("sign", "agreement"), [(1, 1.0), (-1, -1.0)])
def test_the_order_of_people_and_its_reverse(sign, agreement):
    found = model_ranking(arena(lambda worth: sign * worth))
    assert (found.spearman, found.kendall, found.pearson) == pytest.approx((agreement,) * 3)
    assert (found.separability, found.confidence_agreement) == (1.0, agreement)
    assert [rate[0] for rate in found.people.values()] == [1.0, 0.5, 0.0]


def test_scores_that_tell_nobody_apart():
    found = model_ranking(arena(lambda worth: 0.0))
    assert (found.spearman, found.separability, found.confidence_agreement) == (0.0, 0.0, 0.0)
    assert {rate[0] for rate in found.scores.values()} == {0.5}


def test_few_games_tell_nobody_apart_either():
    found = model_ranking(arena(lambda worth: worth, games=1))
    assert (found.separability, found.confidence_agreement) == (0.0, None)
    assert found.kendall == pytest.approx(1.0)


def test_a_ranking_needs_three_models():
    assert model_ranking(arena(lambda worth: worth)[:30]) is None
    assert model_ranking([JudgedPair(1.0, 0.0)]) is None
