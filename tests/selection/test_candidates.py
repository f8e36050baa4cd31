"""A chooser among candidates: indifferent to their order, and hard to exploit after playing against a population."""

import pytest
import torch

from posttrain.selection.candidates import Chooser, Offer, choices, exploitability, improved, opponents, self_play

pytestmark = pytest.mark.paper("000:[59]")
# Rock, paper, scissors, and a model that says rock too often.
BEATS = torch.tensor([[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]]).double()
GAME = Offer(torch.eye(3).double(), BEATS, torch.tensor([0.6, 0.3, 0.1]).double())
GAUSS = torch.Generator().manual_seed(0)
STATES = torch.randn(4, 5, generator=GAUSS, dtype=torch.float64)
CHOOSER = Chooser(*(torch.randn(*size, generator=GAUSS, dtype=torch.float64) for size in ((2, 5), (2,), (2, 5))))


def test_golden_exploitability_of_a_biased_model():
    """Paper beats rock 0.6 of the time and loses to scissors 0.1."""
    assert exploitability([GAME], [GAME.own]) == pytest.approx(0.5)
    uniform = torch.full((3,), 1 / 3).double()
    assert exploitability([GAME, GAME], [GAME.own, uniform]) == pytest.approx(0.25)


def test_golden_probabilities():
    """q = Q mean + b = (2·1/2 + 1) = 2, keys 3 and -1 of the two states: scores 6 and -2 for e_0, e_1 of one query."""
    one = Chooser(torch.tensor([[2.0, 0.0]]).double(), torch.ones(1).double(), torch.tensor([[3.0, -1.0]]).double())
    expected = torch.tensor([6.0, -2.0]).double().log_softmax(0)
    assert torch.allclose(one.logp(torch.eye(2).double()), expected)
    assert torch.allclose(choices(one, [Offer(torch.eye(2).double(), BEATS[:2, :2], GAME.own)])[0], expected.exp())


def test_golden_a_new_chooser_has_no_preference_and_different_keys():
    fresh, other = Chooser.fresh(3, 5, 7), Chooser.fresh(3, 5, 8)
    assert torch.equal(fresh.logp(STATES), torch.full((4,), 0.25).double().log())
    assert fresh.key.shape == (3, 5)
    assert not torch.equal(fresh.key, other.key)
    assert float(fresh.key.std()) == pytest.approx(1 / 5**0.5, rel=0.4)


def test_another_order_of_the_candidates_is_another_order_of_their_probabilities():
    order = [2, 0, 3, 1]
    assert torch.allclose(CHOOSER.logp(STATES[order]), CHOOSER.logp(STATES)[order])
    assert float(CHOOSER.logp(STATES).std()) > 0.1


def test_one_candidate_is_the_language_model_alone():
    assert CHOOSER.logp(STATES[:1]).tolist() == [0.0]


def test_golden_the_opponent_is_now_and_then_the_policy_itself():
    now, pool = [torch.tensor([1.0, 0.0])], [[torch.tensor([0.0, 1.0])], [torch.tensor([0.5, 0.5])]]
    assert opponents(now, pool, 0.2)[0].tolist() == pytest.approx([0.2 + 0.8 * 0.25, 0.8 * 0.75])
    assert opponents(now, pool, 0.0)[0].tolist() == pytest.approx([0.25, 0.75])


def test_golden_a_step_goes_up_the_gradient():
    """The gradient of the value and the entropy; a mean over offers, and each step from where the last one ended."""
    for entropy in (0.0, 2.0):
        moved = [x.clone().requires_grad_() for x in (CHOOSER.query, CHOOSER.bias, CHOOSER.key)]
        logp = Chooser(*moved).logp(STATES)
        wins = torch.rand(4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        p = torch.tensor([0.4, 0.3, 0.2, 0.1]).double()
        value = (logp.exp() * (wins @ p)).sum() - entropy * (logp.exp() * logp).sum()
        slopes = torch.autograd.grad(value, moved)
        offers, how = [Offer(STATES, wins, p)] * 2, {"rate": 0.3, "entropy": entropy}
        after = improved(CHOOSER, offers, [p, p], steps=1, **how)
        for new, old, slope in zip(vars(after).values(), moved, slopes, strict=True):
            assert torch.allclose(new, old.detach() + 0.3 * slope)
            assert not new.requires_grad
        twice = improved(after, offers[:1], [p], steps=1, **how)
        assert torch.allclose(improved(CHOOSER, offers, [p, p], steps=2, **how).key, twice.key)


def test_golden_generations_and_their_pool():
    """Two generations by hand: first against the model, then against the mean of it and the first chooser."""
    start = Chooser.fresh(4, 3, 0)
    how = {"steps": 2, "rate": 0.1, "entropy": 0.1}
    one = improved(start, [GAME], opponents(choices(start, [GAME]), [[GAME.own]], 0.3), **how)
    pool = [[GAME.own], choices(start, [GAME])]
    two = improved(one, [GAME], opponents(choices(one, [GAME]), pool, 0.3), **how)
    assert torch.equal(self_play(start, [GAME], generations=2, current=0.3, **how).key, two.key)


def test_playing_against_a_population_leaves_little_to_exploit():
    start = Chooser.fresh(16, 3, 1)
    chooser = self_play(start, [GAME], generations=60, current=0.2, steps=5, rate=2.0, entropy=0.1)
    assert exploitability([GAME], choices(chooser, [GAME])) < 0.02


def test_playing_against_the_model_alone_does_not():
    chooser = improved(Chooser.fresh(8, 3, 0), [GAME], [GAME.own], steps=60, rate=2.0, entropy=0.01)
    assert float(GAME.own @ BEATS.T @ choices(chooser, [GAME])[0]) > 0.7
    assert exploitability([GAME], choices(chooser, [GAME])) > 0.5
