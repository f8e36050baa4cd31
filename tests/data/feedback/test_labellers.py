"""Weights of labellers: who is accurate is found, and honesty is the best policy."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from posttrain.data.dataset import from_rows
from posttrain.data.feedback.act import act_of
from posttrain.data.feedback.labellers import aggregate, report, updated, weights
from posttrain.errors import DataError
from tests.data.feedback.acts import act, prefer

RIGHT = {"type": "preference", "preferred": 0}


def check(preferred, annotator, n=0, **more):
    return prefer(preferred, annotator, (f"a{n}", f"b{n}"), act_expected=RIGHT, **more)


@pytest.mark.paper("hao2024iyj")
def test_golden():
    """Reports 0.9 and 0.4 of weights 1 and 1/2: (0.9 + 0.2)/1.5. The outcome 1 costs 0.01 and 0.36 of a rate of 1/2."""
    assert aggregate({"a": 0.9, "b": 0.4}, {"a": 1.0, "b": 0.5}) == pytest.approx(1.1 / 1.5)
    assert updated(1.0, 0.9, 1.0, 0.5) == pytest.approx(0.995)
    assert updated(0.5, 0.4, 1.0, 0.5) == pytest.approx(0.41)
    assert updated(0.5, 0.4, 0.0, 0.5) == pytest.approx(0.46)


def test_without_a_rate_it_is_the_average_and_equal_losses_leave_shares_alone():
    assert updated(0.7, 0.2, 1.0, 0.0) == 0.7
    one, two = updated(1.0, 0.3, 1.0, 0.5), updated(2.0, 0.3, 1.0, 0.5)
    assert two / one == pytest.approx(2)


@pytest.mark.paper("hao2024iyj")
@pytest.mark.parametrize("belief", [0.1, 0.35, 0.5, 0.8])
def test_who_reports_what_they_believe_has_the_largest_expected_weight(belief):
    def expected(p):
        return belief * updated(1.0, p, 1.0, 0.3) + (1 - belief) * updated(1.0, p, 0.0, 0.3)

    grid = np.linspace(0, 1, 101)
    assert grid[np.argmax([expected(p) for p in grid])] == pytest.approx(belief)


def regret(horizon, weighted, seed=0):
    """The loss of the aggregate over that of the best labeller: one is accurate, three are biased towards 0.9."""
    chance = np.random.default_rng(seed)
    known, rate = dict.fromkeys("abcd", 1.0), 1 / sqrt(horizon)
    lost = dict.fromkeys([*known, "all"], 0.0)
    for _ in range(horizon):
        truth = chance.random()
        outcome = float(chance.random() < truth)
        reports = {"a": truth, **dict.fromkeys("bcd", 0.9)}
        for name, p in {**reports, "all": aggregate(reports, known)}.items():
            lost[name] += (p - outcome) ** 2
        if weighted:
            known = {i: updated(w, reports[i], outcome, rate) for i, w in known.items()}
    return lost["all"] - min(lost[i] for i in known)


@pytest.mark.paper("hao2024iyj")
def test_the_regret_grows_like_the_root_of_time_and_that_of_the_average_like_time():
    few, many = (np.mean([regret(t, True, seed) for seed in range(3)]) for t in (400, 3600))
    assert many / few < 4  # 3 for a root, 9 for a line
    plain = [np.mean([regret(t, False, seed) for seed in range(3)]) for t in (400, 3600)]
    assert plain[1] / plain[0] == pytest.approx(9, rel=0.25)
    assert many < plain[1] / 3


def test_annotators_are_weighed_by_their_checks():
    rows = [check(0, "ann", n) for n in range(4)] + [check(n % 2, "bob", n) for n in range(4)] + [prefer(0, "cyd")]
    found = weights([act_of(row, "f:1") for row in rows])
    assert found == {"ann": 1.0, "bob": pytest.approx(0.25), "cyd": 1.0}


def test_the_rate_falls_with_the_checks_of_who_had_most():
    rows = [check(0, "ann", n) for n in range(16)] + [check(1, "bob", confidence=0.9)]
    found = weights([act_of(row, "f:1") for row in rows])
    assert found["bob"] == pytest.approx(1 - 0.25 * 0.9**2)


def test_the_votes_of_who_failed_checks_count_less():
    votes = [prefer(0, "ann"), prefer(1, "bob"), prefer(1, "cyd")]
    checks = [check(0 if name == "ann" else 1, name, n) for name in ("ann", "bob", "cyd") for n in range(3)]
    assert [p.chosen for p in from_rows(votes + checks, "pairs", feedback={"labels": "majority"})] == ["b"]
    (pair,) = from_rows(votes + checks, "pairs", feedback={"labels": "checked"})
    assert pair.chosen == "a"
    assert pair.columns["agreement"] == pytest.approx(1 / (1 + 2 * 0.5**3))
    with pytest.raises(DataError, match="no act has 'expected'; take majority"):
        from_rows(votes, "pairs", feedback={"labels": "checked"})


def test_a_report_is_a_probability():
    def of(row):
        one = act_of(row, "f:1")
        return report(one.judgement, one.expected)

    assert [of(check(p, "ann", confidence=0.8)) for p in (0, 1)] == [0.8, pytest.approx(0.2)]
    assert [of(check(p, "ann")) for p in (0, 1, "tie")] == [1.0, 0.0, 0.5]
    tie = {"type": "preference", "preferred": "tie"}
    assert [of(prefer(p, act_expected=tie)) for p in ("tie", 0)] == [1.0, 0.5]
    label = {"type": "label", "answer": 0, "label": True}
    assert [of(act(type="label", answer=0, label=x, act_expected=label)) for x in (True, False)] == [1.0, 0.0]
    rank = {"type": "ranking", "order": [0, 1]}
    assert [of(act(type="ranking", order=x, act_expected=rank)) for x in ([0, 1], [1, 0])] == [1.0, 0.0]
