"""RL-VLM-F: Reinforcement Learning from Vision Language Foundation Model Feedback (Wang et al., 2024): its reward.

    L = -log σ(r(s_preferred) - r(s_other))        over pairs of single observations; "no preference" is left out

r is the mean of an ensemble of small networks, each bounded by tanh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from posttrain.learners.coding.reward_code import facts
from posttrain.learners.world import State, World
from posttrain.seeds import seed_for

HIDDEN = 32
DECAY = 3.0  # of weights, against labels that are wrong


@dataclass(frozen=True)
class Preference:
    """Two states, and whether the first is preferred; None where there is no preference or no reply could be read."""

    one: State
    other: State
    first: bool | None


def features(world: World, states: Sequence[State]) -> torch.Tensor:
    """Return what a network reads of states [N, F]: a 1 for each value of each field that it has."""
    seen = [{(name, repr(value)) for name, value in facts(world, state).items()} for state in states]
    names = {pair: i for i, pair in enumerate(sorted(set().union(*seen)))}
    rows = torch.zeros(len(states), len(names))
    for row, own in zip(rows, seen, strict=True):
        row[[names[pair] for pair in own]] = 1.0
    return rows


def bradley_terry(rewards: torch.Tensor, pairs: torch.Tensor) -> torch.Tensor:
    """Return the loss of each pair [N] of rewards [S]. `pairs` [N, 2]: rows of the preferred state and of the other."""
    return -nn.functional.logsigmoid(rewards[pairs[:, 0]] - rewards[pairs[:, 1]])


def learned_reward(
    world: World,
    states: Sequence[State],
    preferences: Sequence[Preference],
    *,
    seed: int,
    members: int = 3,
    steps: int = 150,
    rate: float = 0.01,
) -> dict[State, float]:
    """Return the mean reward of an ensemble for each state, from -1 to 1; 0 everywhere without any preference."""
    row = {state: i for i, state in enumerate(states)}
    said = [(p.one, p.other) if p.first else (p.other, p.one) for p in preferences if p.first is not None]
    if not said:
        return dict.fromkeys(states, 0.0)
    pairs = torch.tensor([[row[a], row[b]] for a, b in said])
    read = features(world, states)
    ensemble = [_fitted(read, pairs, seed_for(seed, "member", n), steps, rate) for n in range(members)]
    return dict(zip(states, np.mean(ensemble, axis=0).tolist(), strict=True))


def _fitted(read: torch.Tensor, pairs: torch.Tensor, seed: int, steps: int, rate: float) -> Any:
    """Fit one network and return its rewards [S]."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [(read.shape[1], HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 1)]
    weights = [(torch.randn(n, m, generator=generator) / n**0.5).requires_grad_() for n, m in shapes]
    biases = [torch.zeros(m, requires_grad=True) for _, m in shapes]
    optimiser = torch.optim.AdamW([*weights, *biases], lr=rate, weight_decay=DECAY)

    def rewards() -> torch.Tensor:
        x = read
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            x = torch.relu(x @ w + b)
        return torch.tanh(x @ weights[-1] + biases[-1]).squeeze(1)

    for _ in range(steps):
        optimiser.zero_grad()
        bradley_terry(rewards(), pairs).mean().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return rewards().detach().double().numpy()


def agreement(reward: Mapping[State, float], value: Mapping[State, float]) -> float:
    """Return the share of pairs of states that a reward orders as values do, of those with different values."""
    states = list(value)
    pairs = [(a, b) for i, a in enumerate(states) for b in states[:i] if value[a] != value[b]]
    right = sum((reward[a] - reward[b]) * (value[a] - value[b]) > 0 for a, b in pairs)
    return right / len(pairs) if pairs else float("nan")
