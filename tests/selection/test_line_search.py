"""The best step along a direction is exact, and tuning a reranker never makes it worse on what it was tuned on."""

from __future__ import annotations

import random

import pytest

from posttrain.records import Episode, Prompt, Segment
from posttrain.selection.line_search import Candidate, best_step, envelope, first, listed, moved, quality, tuned

pytestmark = pytest.mark.paper("001-text:MERT")


def random_lists(seed, lists=6, candidates=7, features=3):
    draw = random.Random(seed)
    return [
        [Candidate(tuple(draw.gauss(0, 1) for _ in range(features)), draw.random()) for _ in range(candidates)]
        for _ in range(lists)
    ]


def test_golden_envelope_of_three_lines():
    """-x, 0.25 and x - 1 : the first is the best up to -0.25, the last from 1.25 on, and a fourth never."""
    lines = [(-1.0, 0.0), (0.0, 0.25), (1.0, -1.0), (0.5, -1.0)]
    candidates = [Candidate(line, 0.0) for line in lines]
    corners = envelope(candidates, (0.0, 1.0), (1.0, 0.0))
    assert [i for _, i in corners] == [0, 1, 2]
    assert [x for x, _ in corners] == pytest.approx([float("-inf"), -0.25, 1.25])


def test_golden_of_equal_candidates_the_first_is_the_best():
    same = [Candidate((1.0, 2.0), q) for q in (0.3, 0.9)]
    assert envelope(same, (1.0, 0.0), (0.0, 1.0)) == [(float("-inf"), 0)]
    assert first(same, (1.0, 0.0)) == 0
    assert best_step([same], (1.0, 0.0), (0.0, 1.0)) == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_the_step_is_as_good_as_any_of_a_dense_grid(seed):
    lists, weights, direction = random_lists(seed), (1.0, 0.5, -0.5), (0.3, -1.0, 0.7)
    step = best_step(lists, weights, direction)
    found = quality(lists, moved(weights, direction, step))
    grid = [quality(lists, moved(weights, direction, x / 50)) for x in range(-1500, 1501)]
    assert found >= max(grid)
    assert found > quality(lists, weights)
    for corner, i in envelope(lists[0], weights, direction)[1:]:
        assert first(lists[0], moved(weights, direction, corner + 1e-6)) == i
        assert first(lists[0], moved(weights, direction, corner - 1e-6)) != i


def test_golden_nearest_of_several_best_steps_is_taken():
    """Both ends are as good; from 0 it is 1.5 to the left and 3 to the right."""
    lists = [[Candidate((-1.0, 0.0), 1.0), Candidate((0.0, 0.5), 0.0), Candidate((1.0, -1.5), 1.0)]]
    assert best_step(lists, (0.0, 1.0), (1.0, 0.0)) == pytest.approx(-1.5)
    assert best_step([[Candidate(c.features, -c.quality) for c in lists[0]]], (0.0, 1.0), (1.0, 0.0)) == 0.0


def test_golden_step_is_in_the_middle_of_the_best_interval():
    """The middle candidate has the largest score from 1 to 3."""
    lines = [Candidate((-1.0, 1.0), 0.0), Candidate((0.0, 0.0), 1.0), Candidate((1.0, -3.0), 0.0)]
    assert best_step([lines], (0.0, 1.0), (1.0, 0.0)) == pytest.approx(2.0)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_golden_beyond_the_last_corner_one_more_step(side):
    """Another candidate is the best from 2 on, and only that one is good."""
    lists = [[Candidate((-side, 0.0), 0.0), Candidate((side, -4.0), 1.0)]]
    assert best_step(lists, (0.0, 1.0), (1.0, 0.0)) == pytest.approx(3 * side)


def test_golden_quality_is_the_mean_over_the_lists():
    assert quality([[Candidate((1.0,), 0.2)], [Candidate((1.0,), 0.4)]], (1.0,)) == pytest.approx(0.3)


def test_golden_tuning_stops_where_no_feature_helps_and_never_gets_worse():
    for seed in range(3):
        lists, start = random_lists(seed), (1.0, 0.0, 0.0)
        weights = tuned(lists, start)
        assert quality(lists, weights) > quality(lists, start)
        for axis in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)):
            assert best_step(lists, weights, axis) == 0.0
        once = tuned(lists, start, rounds=1)
        assert quality(lists, start) < quality(lists, once) <= quality(lists, weights)


def test_golden_answers_as_candidates():
    def made(n, reward, watched):
        segment = Segment(tuple(range(n)), (0.0,) * n)
        return Episode(Prompt(0, "x"), 0, n, (1,), (segment,), reward, {"seen": watched})

    lists = listed([[made(2, 0.5, 0.7), made(1, 0.1, None)], [made(3, 0.9, 0.2)]], [-1.0, -2.0, -3.0], ["seen"])
    assert lists[0] == [Candidate((-1.0, 2.0, 0.7), 0.5), Candidate((-2.0, 1.0, 0.0), 0.1)]
    assert lists[1] == [Candidate((-3.0, 3.0, 0.2), 0.9)]
