import pytest

from posttrain.search.prompts.momentum import alike, remembered

pytestmark = pytest.mark.paper("000:[33]")
PAST = [("be brief", 0.9), ("think step by step", 0.2), ("think", 0.5), ("be kind", 0.1)]


def test_the_relevant_are_those_most_like_the_present_the_best_last():
    assert remembered(PAST, "think step", 2) == [("think step by step", 0.2), ("think", 0.5)]


def test_the_latest_and_the_best():
    assert remembered(PAST, "think", 2, "recency") == [("be kind", 0.1), ("think", 0.5)]
    assert remembered(PAST, "think", 2, "importance") == [("think", 0.5), ("be brief", 0.9)]


def test_none_is_the_search_without_a_memory():
    assert remembered(PAST, "think", 0) == []
    assert len(remembered(PAST, "think", 9)) == 4


def test_golden_likeness():
    assert alike("a a b", "a c") == pytest.approx(2 / (5 * 2) ** 0.5)
    assert alike("A", "a") == 1
    assert alike("a", "b") == alike("", "a") == 0
