"""Double duelling deep Q-learning (van Hasselt et al., 2016; Wang et al., 2016), for states that are numbers.

Q(s, a) = V(s) + A(s, a) - mean_a A(s, a)
y = r + γ Q_target(s', argmax_a' Q(s', a')),    loss = Huber(y - Q(s, a))
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from posttrain.learners.q_learning import Extra, Transition
from posttrain.learners.world import Floats, State, World
from posttrain.seeds import seed_for

Features = Callable[[State], Floats]  # of a state, all of one length


@dataclass(frozen=True)
class DQNSettings:
    """How the network learns.

    `explore` falls in a line from 1 to its value over the first half of the episodes. `every`: steps between updates of
    the target, `learn`: steps between two updates of the network, `batch`: steps of the memory that one learns from.
    """

    episodes: int = 150
    width: int = 64
    rate: float = 1e-3
    explore: float = 0.05
    memory: int = 10_000
    batch: int = 32
    learn: int = 4
    every: int = 200
    horizon: int = 100


class Duelling(nn.Module):
    """The value of a state and the advantages of its actions, from one hidden layer."""

    def __init__(self, inputs: int, actions: int, width: int) -> None:
        super().__init__()
        self.trunk = nn.Sequential(_layer(inputs, width), nn.ReLU())
        self.value = _layer(width, 1)
        self.advantage = _layer(width, actions)

    def forward(self, states: Tensor) -> Tensor:
        """Return Q [N, A] of states [N, inputs]."""
        hidden = self.trunk(states)
        advantage = self.advantage(hidden)
        return torch.as_tensor(self.value(hidden) + advantage - advantage.mean(dim=-1, keepdim=True))


def targets(
    online: nn.Module, target: nn.Module, after: Tensor, reward: Tensor, done: Tensor, discount: float
) -> Tensor:
    """y [N]: one network chooses the next action, the other one says what it is worth."""
    with torch.no_grad():
        chosen = online(after).argmax(dim=-1, keepdim=True)
        ahead = target(after).gather(-1, chosen).squeeze(-1)
        return torch.as_tensor(reward + discount * (1 - done) * ahead)


@dataclass
class Trained:
    """`returns` of the episodes in the world itself, and the network."""

    network: Duelling
    returns: list[float] = field(default_factory=list)


def dqn(
    world: World, features: Features, seed: int, settings: DQNSettings | None = None, extras: Sequence[Extra] = ()
) -> Trained:
    """Learn by acting. `extras` are learned from besides the world's rewards."""
    how, chance = settings or DQNSettings(), Random(seed_for(seed, "dqn"))  # noqa: S311
    inputs, actions = len(features(world.reset(0))), len(world.actions)
    online, target = (Duelling(inputs, actions, how.width) for _ in range(2))
    _initialise(online, seed_for(seed, "weights"))
    target.load_state_dict(online.state_dict())
    optimiser = torch.optim.Adam(online.parameters(), lr=how.rate)
    memory: deque[Transition] = deque(maxlen=how.memory)
    trained, steps = Trained(online), 0
    for episode in range(how.episodes):
        share = max(how.explore, 1 - (1 - how.explore) * 2 * episode / how.episodes)
        earned, name = 0.0, seed_for(seed, "episode", episode)
        for step in _episode(world, features, online, name, episode, share, chance, how):
            if step.time == 0:
                for extra in extras:
                    extra.begin(step.state, episode)
            earned += world.discount**step.time * step.reward
            if (whole := _with(step, extras)) is not None:
                memory.append(whole)
            steps += 1
            if steps % how.learn == 0 and len(memory) >= how.batch:
                _update(online, target, optimiser, chance.sample(list(memory), how.batch), features, world.discount)
            if steps % how.every == 0:
                target.load_state_dict(online.state_dict())
        trained.returns.append(earned)
    return trained


def one_hot(world: World) -> Features:
    """The features of a state by its number in the table of the world."""
    index = world.table().index()
    rows = np.eye(len(index))
    return lambda state: np.asarray(rows[index[state]])


def observed(state: State) -> Floats:
    """The features of a state that is a tuple of numbers already."""
    return np.asarray(state, dtype=np.float64).reshape(-1)


def _episode(
    world: World,
    features: Features,
    network: nn.Module,
    seed: int,
    episode: int,
    explore: float,
    chance: Random,
    how: DQNSettings,
) -> Iterator[Transition]:
    """Act for an episode, step by step: learning happens in between."""
    state, time, done = world.reset(seed), 0, False
    while not done and time < how.horizon:
        if chance.random() < explore:
            action = chance.randrange(len(world.actions))
        else:
            with torch.no_grad():
                action = int(network(_rows([features(state)])).argmax())
        after = world.step(action)
        yield Transition(state, action, after.reward, after.state, after.done, episode, time)
        state, time, done = after.state, time + 1, after.done


def _with(step: Transition, extras: Sequence[Extra]) -> Transition | None:
    """The step with what it earns besides; None where nobody knows, and nothing is learned from it."""
    added = [extra(step) for extra in extras]
    return None if None in added else replace(step, reward=step.reward + sum(x for x in added if x is not None))


def _update(
    online: nn.Module,
    target: nn.Module,
    optimiser: torch.optim.Optimizer,
    steps: Sequence[Transition],
    features: Features,
    discount: float,
) -> None:
    """Move the network by one step of the optimiser."""
    reward, done = (torch.tensor([float(getattr(s, name)) for s in steps]) for name in ("reward", "done"))
    y = targets(online, target, _rows([features(s.after) for s in steps]), reward, done, discount)
    q = online(_rows([features(s.state) for s in steps]))
    own = q.gather(-1, torch.tensor([[s.action] for s in steps])).squeeze(-1)
    optimiser.zero_grad()
    torch.autograd.backward(torch.nn.functional.smooth_l1_loss(own, y))
    optimiser.step()


def _rows(features: Sequence[Floats]) -> Tensor:
    return torch.tensor(np.array(features), dtype=torch.float32)


def _layer(inputs: int, outputs: int) -> nn.Linear:
    """A layer without weights, which draws none from the global generator."""
    skip: Any = nn.utils.skip_init
    return cast(nn.Linear, skip(nn.Linear, inputs, outputs))


def _initialise(network: Duelling, seed: int) -> None:
    """Draw weights from ±1 / √inputs by a seed of their own, and begin with values of 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.Linear):
                bound = layer.in_features**-0.5
                layer.weight.uniform_(-bound, bound, generator=generator)
                layer.bias.zero_()
        for head in (network.value, network.advantage):
            head.weight.zero_()
