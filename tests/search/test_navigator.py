"""The controller of reasoning: its formulas by hand, its size, and that it finds what value iteration finds."""

from __future__ import annotations

import json

import pytest
import torch

from posttrain.search.navigator import Navigator, Transition, columns, double_target, duelling, fit, greedy

pytestmark = pytest.mark.paper("hao2025lc8")


def test_golden_duelling_values():
    """V = 1, A = (0.3, 0, -0.3, 0, 0): Q = (1.3, 1, 0.7, 1, 1); a constant in A changes nothing."""
    value, advantages = torch.tensor([[1.0]]), torch.tensor([[0.3, 0.0, -0.3, 0.0, 0.0]])
    q = duelling(value, advantages)
    assert q.tolist()[0] == pytest.approx([1.3, 1.0, 0.7, 1.0, 1.0])
    torch.testing.assert_close(duelling(value, advantages + 5), q)
    assert float((q - value).mean()) == pytest.approx(0, abs=1e-6)


def test_golden_double_target():
    """The navigator chooses 1, of which the target says 3: 1 + 0.5 · 3; where the end is, the reward alone."""
    reward, done = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 1.0])
    own, target = torch.tensor([[0.0, 2.0], [0.0, 2.0]]), torch.tensor([[9.0, 3.0], [9.0, 3.0]])
    assert double_target(reward, done, own, target, discount=0.5).tolist() == [2.5, 2.0]
    assert double_target(reward, done, target, target, discount=0.5).tolist() == [5.5, 2.0]  # DQN's


def test_it_has_fewer_than_three_thousand_parameters():
    assert Navigator(7, 5).size == 7 * 32 + 32 + 32 * 32 + 32 + 32 + 1 + 32 * 5 + 5 == 1510


def test_it_is_plain_data_and_its_seed_alone():
    one, other = Navigator(3, 2, width=4, seed=1), Navigator(3, 2, width=4, seed=2)
    states = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(one(states), Navigator(3, 2, width=4, seed=1)(states))
    assert not torch.equal(one(states), other(states))
    other.restore(json.loads(json.dumps(one.state())))
    assert torch.equal(one(states), other(states))


def chain(length: int = 5) -> list[Transition]:
    """Left ends with 0.2; right moves on and ends behind the last place with 1. At γ = 0.9 right is best everywhere."""
    at = [tuple(float(i == k) for i in range(length)) for k in range(length)]
    steps = [Transition(at[k], 0, 0.2, at[k], True) for k in range(length)]
    last = length - 1
    return steps + [Transition(at[k], 1, float(k == last), at[min(k + 1, last)], k == last) for k in range(length)]


def test_on_a_chain_it_has_the_values_of_value_iteration():
    memory = chain()
    navigator = Navigator(5, 2, width=16, seed=3)
    how = {"batch": 16, "learning_rate": 2e-2, "refresh": 20, "seed": 0}
    loss = fit(navigator, memory, steps=250, discount=0.9, **how)
    assert loss < 1e-3
    states = columns(memory)[0][:5]
    with torch.no_grad():
        q = navigator(states)
    assert q[:, 1].tolist() == pytest.approx([0.9**4, 0.9**3, 0.81, 0.9, 1.0], abs=0.08)
    assert q[:, 0].tolist() == pytest.approx([0.2] * 5, abs=0.08)
    assert greedy(navigator, states.tolist()) == [1] * 5
    near = Navigator(5, 2, width=16, seed=3)
    fit(near, memory, steps=250, discount=0.3, **how)
    assert greedy(near, states.tolist()) == [0, 0, 0, 1, 1]  # 0.3³ and less are below 0.2
