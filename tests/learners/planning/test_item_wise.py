"""Lists learned item by item: they are the best that enumeration finds."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.errors import ConfigError
from posttrain.learners.planning.item_wise import ask_relevance, compared, enumerated, item_scores, reinforce, top
from posttrain.learners.speaker import Scripted, Speaker
from posttrain.learners.worlds.recommendation import Recommendation

pytestmark = pytest.mark.paper("000-text:novel top-k")


def test_golden():
    scores = item_scores(np.array([0.5, 1.0]), np.array([[1.0, 0.0]]), np.array([[0.25, 0.125]]))
    assert scores == pytest.approx(np.array([[0.75, 0.125]]))
    assert enumerated(np.array([[1.0, 3.0, 2.0]]), 2) == pytest.approx([5.0])
    assert top(np.array([[1.0, 3.0, 2.0, 3.0]]), 3).tolist() == [[1, 3, 2]]


def test_the_best_items_are_the_best_list():
    scores = np.random.default_rng(0).uniform(-1, 1, (20, 10))
    for k in (1, 2, 4):
        value = np.take_along_axis(scores, top(scores, k), axis=1).sum(axis=1)
        assert value == pytest.approx(enumerated(scores, k))


def test_reinforce_learns_the_list_that_enumeration_finds():
    scores = np.array([[0.9, 0.1, 0.2, 0.8, 0.3], [0.0, 0.5, 1.0, 0.1, 0.2]])
    theta = reinforce(scores, seed=0, steps=300)
    value = np.take_along_axis(scores, top(theta, 2), axis=1).sum(axis=1)
    assert value == pytest.approx(enumerated(scores, 2))


def test_one_step_follows_the_gradient_of_the_item():
    """E[θ' - θ] = η (s - b) σ(θ) (1 - σ(θ)) = η (s - b) / 4 from θ = 0."""
    scores = np.tile(np.array([[1.0, 0.0]]), (4000, 1))
    moved = reinforce(scores, seed=0, steps=1, rate=0.2).mean(axis=0)
    assert moved == pytest.approx([0.2 * 0.5 / 4, -0.2 * 0.5 / 4], abs=0.003)


def test_equal_scores_teach_nothing():
    assert not reinforce(np.full((3, 4), 0.7), seed=1, steps=20).any()


def test_what_is_relevant_is_asked_of_every_pair():
    world = Recommendation(readers=2, items=5)
    assert (ask_relevance(world, Scripted(1.0)) == world.relevant).all()
    assert (ask_relevance(world, Scripted(0.0)) == 1 - world.relevant).all()

    class Silent(Speaker):
        def answer(self, questions):
            return [None] * len(questions)

        def probabilities(self, questions):
            raise NotImplementedError

    assert np.isnan(ask_relevance(world, Silent())).all()
    made = compared(world, Silent(), [0], k=2, steps=50)
    assert made.numbers == {"unread": 1.0}


def test_a_speaker_that_is_right_finds_what_clicks_do_not():
    made = compared(Recommendation(readers=3, items=20), Scripted(1.0), [0, 1], k=3, steps=200)
    assert made.helped == pytest.approx([1.0, 1.0], abs=0.03)
    assert max(made.alone) < 0.9
    assert all(len(items) == 3 for items in made.kept.values())


def test_what_could_not_be_read_teaches_nothing_and_is_no_part_of_the_baseline():
    scores = np.array([[0.9, np.nan, 0.1, 0.5]])
    theta, without = reinforce(scores, seed=0, steps=40), reinforce(np.array([[0.9, 0.5, 0.1, 0.5]]), seed=0, steps=40)
    assert theta[0, 1] == 0
    assert (theta == without).all()  # the mean of what was read is 0.5


@pytest.mark.parametrize("k", [0, 6])
def test_a_list_has_no_more_items_than_there_are(k):
    with pytest.raises(ConfigError, match=r"procedure.k: \d of 5 items"):
        compared(Recommendation(readers=2, items=5), Scripted(1.0), [0], k=k, steps=1)
