"""Best of n without sampling, against every choice of n."""

from __future__ import annotations

from itertools import combinations
from statistics import fmean

import pytest

from posttrain.evaluation.reward_models.best_of_n import best_of, credit, curve, mean_curves, mean_roc_area, weights
from posttrain.evaluation.reward_models.judged import JudgedCandidates
from posttrain.evaluation.statistics import pass_at

pytestmark = pytest.mark.paper("frick20248mv")
SCORES, GOLD = [0.3, 2.0, -1.0, 1.0, 0.7], [1.0, 0.0, 5.0, 3.0, 2.0]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_every_choice_of_n_counts_once(n):
    chosen = [max(some, key=lambda i: SCORES[i]) for some in combinations(range(5), n)]
    assert best_of(n, SCORES, GOLD) == pytest.approx(fmean(GOLD[i] for i in chosen))
    assert sum(weights(5, n)) == pytest.approx(1.0)


def test_the_ends_of_the_curve():
    assert curve(SCORES, GOLD, (1, 5)) == pytest.approx({1: fmean(GOLD), 5: GOLD[1]})
    assert list(curve(SCORES, GOLD)) == [1, 2, 4]
    with pytest.raises(ValueError, match="best of 6 out of 5"):
        weights(5, 6)


def test_equal_scores_are_taken_equally_often():
    assert best_of(2, [1.0, 1.0, 1.0], [0.0, 3.0, 6.0]) == pytest.approx(3.0)
    assert best_of(3, [2.0, 2.0, 1.0], [0.0, 1.0, 9.0]) == pytest.approx(0.5)
    assert credit(JudgedCandidates((2.0, 2.0, 1.0), (False, True, True))) == 0.5


def test_a_perfect_judge_is_pass_at_n_and_a_blind_one_is_flat():
    correct = (True, False, False, True, False, False, False, False)
    perfect, blind = JudgedCandidates(tuple(map(float, correct)), correct), JudgedCandidates((0.0,) * 8, correct)
    assert {n: own for n, (own, _) in mean_curves([perfect]).items()} == pytest.approx(
        {n: pass_at(n, 8, 2) for n in (1, 2, 4, 8)}
    )
    assert [own for own, _ in mean_curves([blind]).values()] == pytest.approx([0.25] * 4)
    assert mean_curves([perfect, blind])[8] == pytest.approx((0.625, 1.0))
    assert mean_roc_area([perfect, blind]) == 0.75
    assert mean_roc_area([JudgedCandidates((1.0, 2.0), (True, True))]) is None
