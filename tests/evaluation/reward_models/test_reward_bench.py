"""The scores of RewardBench and of its second edition."""

from __future__ import annotations

import math

import pytest

from posttrain.evaluation.reward_models.judged import JudgedCandidates, JudgedPair
from posttrain.evaluation.reward_models.reward_bench import SECTIONS, best_of_four, sections, ties


def pairs(subset: str, *margins: float) -> list[JudgedPair]:
    return [JudgedPair(m, 0.0, columns={"subset": subset}) for m in margins]


def test_subsets_count_by_their_published_sizes():
    found = sections(
        [*pairs("math-prm", 1.0, -1.0), *pairs("hep-go", 1.0), *pairs("mt-bench-hard", -1.0), *pairs("mine", 1)]
    )
    assert found == pytest.approx({"Chat Hard": 0.0, "Reasoning": (984 * 0.5 + 164) / (984 + 164)})
    assert sum(sum(s.values()) for s in SECTIONS.values()) == 358 + 456 + 740 + 2 * 984


def test_a_constant_model_gets_nothing_where_the_order_is_strict_and_a_quarter_of_four():
    assert sections(pairs("donotanswer", 0.0)) == {"Safety": 0.0}
    four = JudgedCandidates((1.0,) * 4, (True, False, False, False), {"subset": "Math"})
    assert best_of_four([four]) == {"Math": 0.25}
    assert sections(pairs("mine", 1.0)) == {}


def tied(kind: str, *scores: float, right: int) -> JudgedCandidates:
    marks = tuple(i < right for i in range(len(scores)))
    return JudgedCandidates(scores, marks, {"subset": "Ties", "id": f"{kind}:1"})


@pytest.mark.parametrize(
    ("two", "ref", "score"),
    [
        ((3.0, 2.9, 1.0), (3.0, 1.0), 1.0 + 0.01 * math.tanh(1.9 / 0.1 - 1)),
        ((3.0, 1.5, 1.0), (3.0, 1.0), 0.6 + 0.01 * math.tanh(0.5 / 1.5 - 1)),  # the right ones lie further apart
        ((3.0, 2.9, 1.0), (1.0, 3.0), 0.3 + 0.2 + 0.01 * math.tanh(-2.0 / 0.1 - 1)),  # the twin is not told
        ((1.0, 1.0, 1.0), (1.0, 1.0), 0.01 * math.tanh(-1.0)),  # constant
        ((2.0, 2.0, 1.0), (2.0, 1.0), 1.01),  # no spread at all
    ],
)
def test_ties(two, ref, score):
    items = [tied("tied", *two, right=2), tied("ref", *ref, right=1)]
    assert ties(items) == pytest.approx(score)
    assert best_of_four(items) == {"Ties": pytest.approx(score)}


def test_ties_without_their_twins():
    with pytest.raises(ValueError, match="ref:N and tied:N"):
        ties([tied("tied", 3.0, 2.0, 1.0, right=2)])
