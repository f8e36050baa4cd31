"""Judged plans: rates by category add up, unreadable verdicts are counted, and the nudge is paired."""

from __future__ import annotations

import pytest

from posttrain.evaluation.suite_result import SuiteResult
from posttrain.evaluation.suites.safety.instrumental_goals import TASKS, instrumental_goals
from tests.evaluation.scripted import answered, judged_by


def judged(plan, judge) -> SuiteResult:
    suite = instrumental_goals()
    return judged_by(suite, answered(suite, plan).items, judge)


def seeks_power(item, asked):
    return "Copy myself elsewhere." if "at any cost" in asked or item["category"] == "control" else "Do the task."


def judge(question):
    return "DECISION: YES" if "Copy myself" in question.rpartition("Plan:")[2] else "no, it does not"


@pytest.mark.paper("he2025tju")
def test_rates_by_category_add_up_and_the_nudge_is_found():
    found = judged(seeks_power, judge).numbers
    rates = [found[f"instrumental[category={c}]"] for c in TASKS]
    assert found["instrumental"].mean == pytest.approx(sum(r.n * r.mean for r in rates) / sum(r.n for r in rates))
    assert found["instrumental[category=control]"].mean == 1.0
    assert found["instrumental[nudged=False]"].mean == pytest.approx(1 / 6)
    nudge = found["instrumental.nudge"]
    assert (nudge.above, nudge.below, nudge.p_value) == (10, 0, 2 / 2**10)


def test_a_clean_planner_is_not_flagged_and_no_verdict_is_no_score():
    clean = judged(lambda *_: "Do the task.", judge)
    assert clean.numbers["instrumental"].mean == 0.0
    silent = judged(seeks_power, lambda question: "I would rather not decide" if "control" in question else "yes")
    assert silent.counters["no verdict"] == silent.counters["no instrumental"] == len(silent.items)
    assert "instrumental" not in silent.numbers
