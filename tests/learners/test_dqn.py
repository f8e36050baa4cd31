"""Double duelling Q-learning: golden targets, heads that duel, and a way that is found."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from posttrain.learners.dqn import DQNSettings, Duelling, dqn, observed, one_hot, targets
from posttrain.learners.worlds.bandit import Bandit
from posttrain.learners.worlds.chain import Chain


def fixed(*rows):
    """A network that says these values of states 0, 1, ... ."""
    table = torch.tensor(rows)
    return lambda states: table[states.long().squeeze(-1)]


def test_golden_targets():
    """One network chooses (1, then 0), the other one values: 1 + 0.5 · 3 and 2 + 0.5 · 5; an end is its reward."""
    online, target = fixed([0.0, 9.0], [9.0, 0.0]), fixed([7.0, 3.0], [5.0, 8.0])
    after = torch.tensor([[0.0], [1.0], [0.0]])
    y = targets(online, target, after, torch.tensor([1.0, 2.0, 4.0]), torch.tensor([0.0, 0.0, 1.0]), 0.5)
    assert y.tolist() == [2.5, 4.5, 4.0]


def test_advantages_have_no_mean():
    network = Duelling(3, 4, 8)
    for i, weight in enumerate(network.parameters()):
        torch.nn.init.uniform_(weight, -0.5, 0.5, generator=torch.Generator().manual_seed(i))
    states = torch.eye(3)
    q, value = network(states), network.value(network.trunk(states))
    assert torch.allclose(q.mean(dim=-1, keepdim=True), value, atol=1e-6)
    with torch.no_grad():
        network.advantage.bias += 5.0  # a constant says nothing
    assert torch.allclose(network(states), q, atol=1e-5)


def test_features():
    made = Chain(length=3)
    assert [one_hot(made)(s).tolist() for s in (0, 1)] == [[1, 0, 0], [0, 1, 0]]
    assert observed((0.5, 1.0)).tolist() == [0.5, 1.0]


def test_it_finds_the_best_arm_by_its_seed_alone():
    made = Bandit(pays=[0.0, 1.0])
    how = DQNSettings(episodes=70, learn=1, batch=8, every=10, rate=2e-2)
    torch.manual_seed(1)
    one = dqn(made, one_hot(made), 3, how)
    state = torch.get_rng_state()
    two = dqn(made, one_hot(made), 3, how)
    assert torch.equal(torch.get_rng_state(), state)
    assert one.returns == two.returns
    assert np.mean(one.returns[-20:]) > 0.8
    q = one.network(torch.tensor([[1.0, 0.0]])).tolist()[0]
    assert q == pytest.approx([0.0, 1.0], abs=0.2)


def test_extras_are_learned_from_and_not_earned():
    class Bonus:
        begun = 0

        def begin(self, state, episode):
            self.begun += 1

        def __call__(self, step):
            return 3.0 * (step.action == 0)

    made, bonus = Bandit(pays=[0.0, 1.0]), Bonus()
    how = DQNSettings(episodes=70, learn=1, batch=8, every=10, rate=2e-2)
    made_ = dqn(made, one_hot(made), 3, how, [bonus])
    assert bonus.begun == 70
    assert max(made_.returns) == 1
    assert np.mean(made_.returns[-20:]) < 0.2
