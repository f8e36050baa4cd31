"""LINVIT: planning with a prior on what was seen; its closed form is that of value iteration with a KL."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.learners.linvit import Seen, linvit
from posttrain.learners.questions import Asked, prior, rows
from posttrain.learners.speaker import Scripted
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.chain import Chain
from posttrain.learners.worlds.key_door import KeyDoor

pytestmark = pytest.mark.paper("000:[73]")


def known(table, bonus_of_times=10**6):
    """As if every step had been seen as often as it happens, many times."""
    seen = Seen.nothing(table)
    seen.steps = table.P * bonus_of_times
    seen.earned = table.R * bonus_of_times
    return seen


@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_when_all_is_known_the_plan_is_value_iteration_with_the_kl(strength):
    from posttrain.learners.linvit import _planned

    table = Chain(length=5).table()
    p = np.tile([0.8, 0.2], (5, 1))
    exact = value_iteration(table, prior=p, strength=strength)
    Q, weight = _planned(known(table), table.discount, 0.0, 9.0, p, strength)
    assert weight == strength
    assert np.abs((Q - exact.Q)[~table.terminal]).max() < 1e-2


def test_what_was_not_seen_is_worth_the_most_and_what_was_seen_little_a_little_more():
    table = Chain(length=3, slip=0.0).table()
    seen = Seen.nothing(table)
    seen.steps[0, 1, 1], seen.earned[0, 1] = 4, 2.0
    Q = seen.optimistic(0.9, 0.1, 7.0)
    assert Q[0, 1] == pytest.approx(0.5 + 0.1 / 2)
    assert Q[0, 0] == Q[1, 1] == 7.0
    seen.V[1] = 100.0
    assert seen.optimistic(0.9, 0.1, 7.0)[0, 1] == 7.0


def test_it_finds_the_way_without_help_and_faster_with_it():
    made = KeyDoor(size=2)
    said = prior(made, Scripted(1.0), Asked(made).states())
    helped = linvit(made, 0, said, strength=0.3, episodes=8)
    alone = linvit(made, 0, None, episodes=8)
    assert alone.returns[-1] > 0.5
    assert sum(helped.returns) > 1.3 * sum(alone.returns)
    assert len(helped.steps) == 8


def test_the_first_plan_is_the_speakers():
    """Nothing is known, all Q are alike: π = p."""
    made = Chain(length=30, slip=0.0)
    said = {state: np.array([0.01, 0.99]) for state in range(29)}
    (steps,) = linvit(made, 1, said, episodes=1, horizon=200).steps
    assert steps < 60


def test_a_prior_as_an_array():
    table = Chain(length=3).table()
    assert rows(table, {0: np.array([0.9, 0.1])}).tolist() == [[0.9, 0.1], [0.5, 0.5], [0.5, 0.5]]
