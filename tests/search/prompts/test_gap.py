import pytest

from posttrain.search.prompts.gap import best_of_groups, gap


@pytest.mark.paper("002:RLPROMPT")
def test_golden_gaps():
    """(0.6, 0.3, 0.1): the right label is 0.3 ahead, or 0.3 behind."""
    assert gap((0.6, 0.3, 0.1), 0) == pytest.approx(60)
    assert gap((0.6, 0.3, 0.1), 1) == pytest.approx(-54)
    assert gap((0.6, 0.3, 0.1), 2) == pytest.approx(-90)


@pytest.mark.paper("002:TEMPERA")
def test_golden_gaps_of_tempera():
    assert gap((0.2, 0.8), 1, right=2, wrong=1.8) == pytest.approx(1.2)
    assert gap((0.2, 0.8), 0, right=2, wrong=1.8) == pytest.approx(-1.08)


def test_equal_probabilities_earn_nothing():
    assert gap((0.5, 0.5), 0) == 0


def test_without_groups_it_is_the_mean():
    assert best_of_groups([1.0, 2.0, 6.0], 0) == 3.0


def test_a_group_earns_its_best():
    rewards = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert best_of_groups([2.0] * 8, 4) == 2.0
    assert best_of_groups(rewards, 2, seed=1) > 3.5  # the mean
    assert best_of_groups(rewards, 2, seed=1) == best_of_groups(rewards, 2, seed=1)
    seen = {best_of_groups(rewards, 2, seed=s) for s in range(20)}
    assert len(seen) > 3
    assert sum(seen) / len(seen) == pytest.approx(6, abs=1)  # the best of 4 of 0 .. 7 is 5.9 on average
