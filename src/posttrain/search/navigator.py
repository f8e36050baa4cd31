"""A small controller of reasoning: a duelling double DQN over a few numbers and a few actions (Hao et al., 2025).

    Q(s, a) = V(s) + A(s, a) - mean_a' A(s, a')
    y = r + γ (1 - done) Q_target(s', argmax_a' Q(s', a')),    L = (Q(s, a) - y)²

Legend: N transitions, F numbers of a state, A actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


def duelling(value: Tensor, advantages: Tensor) -> Tensor:
    """Return V + A - mean A of a value [N, 1] and advantages [N, A]: [N, A]."""
    return value + advantages - advantages.mean(-1, keepdim=True)


def double_target(
    reward: Tensor, done: Tensor, following: Tensor, following_by_target: Tensor, *, discount: float
) -> Tensor:
    """Return r + γ (1 - done) Q_target(s', argmax Q(s', ·)): [N]. `following`: the Q-values of s', [N, A]."""
    best = following.argmax(-1, keepdim=True)
    return reward + discount * (1 - done) * following_by_target.gather(-1, best).squeeze(-1)


class Navigator(nn.Module):
    """Q-values of all actions for states [N, F]: [N, A]. Its weights derive from the seed alone."""

    def __init__(self, numbers: int, actions: int, *, width: int = 32, seed: int = 0) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(numbers, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.value = nn.Linear(width, 1)
        self.advantages = nn.Linear(width, actions)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for p in self.parameters():
                bound = p.shape[-1] ** -0.5 if p.dim() > 1 else 0.0
                p.copy_((2 * torch.rand(p.shape, generator=generator) - 1) * bound)

    def forward(self, states: Tensor) -> Tensor:
        """Return the Q-values."""
        h = self.body(states)
        return duelling(self.value(h), self.advantages(h))

    @property
    def size(self) -> int:
        """The number of its parameters."""
        return sum(p.numel() for p in self.parameters())

    def state(self) -> dict[str, Any]:
        """Return the weights as plain data."""
        return {name: p.tolist() for name, p in self.named_parameters()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take the weights of a `state`."""
        with torch.no_grad():
            for name, p in self.named_parameters():
                p.copy_(torch.tensor(state[name]))


@dataclass(frozen=True)
class Transition:
    """An action in a state, its reward, and the state after it. `done`: nothing follows."""

    state: tuple[float, ...]
    action: int
    reward: float
    following: tuple[float, ...]
    done: bool


def fit(
    navigator: Navigator,
    memory: Sequence[Transition],
    *,
    steps: int,
    discount: float,
    learning_rate: float,
    seed: int,
    batch: int = 32,
    refresh: int = 50,
) -> float:
    """Fit the Q-values to all that was seen, in place; returns the mean loss of the last `refresh` steps.

    `refresh`: steps after which the target becomes a copy of the navigator.
    """
    state, action, reward, following, done = columns(memory)
    generator = torch.Generator().manual_seed(seed)
    target = Navigator(state.shape[1], navigator.advantages.out_features, width=navigator.value.in_features)
    optimiser = torch.optim.Adam(navigator.parameters(), lr=learning_rate)
    losses: list[float] = []
    for step in range(steps):
        if step % refresh == 0:
            target.load_state_dict(navigator.state_dict())
        i = torch.randint(len(memory), (batch,), generator=generator)
        with torch.no_grad():
            after, by_target = navigator(following[i]), target(following[i])
            y = double_target(reward[i], done[i], after, by_target, discount=discount)
        loss = (navigator(state[i]).gather(1, action[i, None]).squeeze(1) - y).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return sum(losses[-refresh:]) / max(1, len(losses[-refresh:]))


def columns(memory: Sequence[Transition]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return states [N, F], actions [N], rewards [N], states after them [N, F], and whether they are the last [N]."""
    return (
        torch.tensor([t.state for t in memory]),
        torch.tensor([t.action for t in memory]),
        torch.tensor([t.reward for t in memory]),
        torch.tensor([t.following for t in memory]),
        torch.tensor([float(t.done) for t in memory]),
    )


@torch.no_grad()
def greedy(navigator: Navigator, states: Sequence[Sequence[float]]) -> list[int]:
    """Return the action with the highest Q-value in each state, the earlier one of equals."""
    actions: list[int] = navigator(torch.tensor(states, dtype=torch.float32)).argmax(-1).tolist()
    return actions
