"""Preferences that may be cyclic."""

from math import cos, pi, sin

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.parts import PartError
from posttrain.formulas.losses.embeddings import gap_logistic, turn, win_rate
from posttrain.formulas.losses.pairs import logistic
from tests.harness.numbers import answer, step
from tests.methods.reward.pairs import plain

pytestmark = pytest.mark.paper("002:GPM")
CYCLE = torch.tensor([(0, 1), (1, 2), (2, 0)])  # rock, scissors and paper


def on(first, second, **settings):
    rows = [answer(scores=v) for v in (first, second)]
    return step(configure(load("reward/general_preference"), settings), *rows, pairs=[(0, 1)])


def accuracy(score, width):
    """The share of a cycle of three that an embedding of so many numbers gets right after training."""
    answers = torch.randn(3, width, generator=torch.Generator().manual_seed(0)).requires_grad_()
    optimiser = torch.optim.Adam([answers], lr=0.1)
    for _ in range(60):
        optimiser.zero_grad()
        gap_logistic(score(answers)).mean().backward()
        optimiser.step()
    return (score(answers) > 0).float().mean().item()


def test_a_cycle_is_learned_and_a_score_for_each_answer_cannot():
    assert accuracy(lambda v: turn(v, CYCLE), 2) == 1
    assert accuracy(lambda v: v[CYCLE[:, 0], 0] - v[CYCLE[:, 1], 0], 1) < 0.7


def test_the_other_order_has_the_opposite_score_and_a_turned_plane_the_same():
    v, u = (0.3, -0.5, 2.0, 1.0), (1.0, 0.2, -0.7, 0.1)
    assert on(v, u).metrics["margin"] == pytest.approx(-on(u, v).metrics["margin"], abs=1e-12)
    assert on(v, v).metrics["margin"] == 0
    turned = [(-x[1], x[0], -x[3], x[2]) for x in (v, u)]
    assert on(*turned).metrics["margin"] == pytest.approx(on(v, u).metrics["margin"], abs=1e-12)


def test_with_a_constant_beside_the_score_it_is_bradley_terry():
    one = on((1.7, 1.0), (0.4, 1.0), unit=False, tau=1.0)
    assert one.metrics["loss"] == pytest.approx(plain(1.3), abs=1e-12)
    assert one.metrics["loss"] == pytest.approx(float(logistic(torch.tensor(1.7), torch.tensor(0.4), beta=1.0)))


def test_in_a_cycle_of_equals_every_answer_wins_half_of_its_comparisons():
    corners = torch.tensor([(cos(2 * pi * i / 3), sin(2 * pi * i / 3)) for i in range(3)])
    assert turn(corners, CYCLE).tolist() == pytest.approx([sin(2 * pi / 3)] * 3, abs=1e-6)
    assert win_rate(corners, torch.zeros(3)).tolist() == pytest.approx([0.5] * 3, abs=1e-6)


def test_an_odd_number_of_numbers_is_no_embedding():
    with pytest.raises(PartError, match=r"embedding of 3 numbers .* with an even scores.size"):
        on((1.0, 2.0, 3.0), (1.0, 2.0, 3.0))
