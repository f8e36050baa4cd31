"""A small policy that chooses among candidates of a language model, and the population that it plays against.

Language Agents with Reinforcement Learning for Strategic Play in the Werewolf Game (Xu et al., 2023): what a language
model would do by itself is biased and can be exploited; which of its proposals is played is learned. The policy reads
the states of the candidates, so it does not depend on their order or number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Policy = Sequence[Tensor]  # probabilities of the candidates of each offer


@dataclass(frozen=True, eq=False)
class Offer:
    """Candidates in one place of a game of two equal players.

    `states` [N, D]: those of a language model after each. `wins` [N, N]: the probability that the candidate of the row
    beats that of the column. `own` [N]: how often the language model itself says each.
    """

    states: Tensor
    wins: Tensor
    own: Tensor


@dataclass(frozen=True, eq=False)
class Chooser:
    """π(i) ∝ exp(q·k_i),  q = Q mean_j e_j + b,  k_i = K e_i, over the states e of the candidates."""

    query: Tensor  # Q [H, D]
    bias: Tensor  # b [H]
    key: Tensor  # K [H, D]

    @classmethod
    def fresh(cls, width: int, size: int, seed: int) -> Chooser:
        """Make one that chooses each candidate alike. `width`: H; `size`: D."""
        noise = torch.Generator().manual_seed(seed)
        key = torch.randn(width, size, generator=noise, dtype=torch.float64) / size**0.5
        return cls(torch.zeros_like(key), torch.zeros_like(key[:, 0]), key)

    def logp(self, states: Tensor) -> Tensor:
        """Compute the log-probabilities of candidates: [N, D] -> [N]."""
        own = self.query @ states.mean(0) + self.bias
        return (states @ self.key.T @ own).log_softmax(0)


def choices(chooser: Chooser, offers: Sequence[Offer]) -> list[Tensor]:
    """Return the probabilities of the candidates of each offer."""
    return [chooser.logp(o.states).exp() for o in offers]


def opponents(now: Policy, pool: Sequence[Policy], current: float) -> list[Tensor]:
    """Mix the policy as it is, with the share `current`, and those of the pool, each alike."""
    before = [torch.stack(list(each)).mean(0) for each in zip(*pool, strict=True)]
    return [current * p + (1 - current) * q for p, q in zip(now, before, strict=True)]


def improved(
    chooser: Chooser, offers: Sequence[Offer], against: Policy, *, steps: int, rate: float, entropy: float
) -> Chooser:
    """Return the policy after steps up the gradient of the mean of Σ_i π(i) Σ_j wins_ij p_j + entropy H(π)."""
    values = [o.wins @ p for o, p in zip(offers, against, strict=True)]
    for _ in range(steps):
        moved = [x.clone().requires_grad_() for x in (chooser.query, chooser.bias, chooser.key)]
        logp = [Chooser(*moved).logp(o.states) for o in offers]
        gains = [(p.exp() * (v - entropy * p)).sum() for p, v in zip(logp, values, strict=True)]
        slopes = torch.autograd.grad(torch.stack(gains).mean(), moved)
        chooser = Chooser(*(x.detach() + rate * slope for x, slope in zip(moved, slopes, strict=True)))
    return chooser


def self_play(
    chooser: Chooser, offers: Sequence[Offer], *, generations: int, current: float, steps: int, rate: float,
    entropy: float,
) -> Chooser:  # fmt: skip
    """Return the policy after generations against itself and a pool: the language model, and all earlier policies."""
    pool: list[Policy] = [[o.own for o in offers]]
    for _ in range(generations):
        now = choices(chooser, offers)
        chooser = improved(chooser, offers, opponents(now, pool, current), steps=steps, rate=rate, entropy=entropy)
        pool.append(now)
    return chooser


def exploitability(offers: Sequence[Offer], policy: Policy) -> float:
    """How much more often the best answer to a policy wins than loses, on average over the offers."""
    best = [2 * (o.wins @ p).max().item() - 1 for o, p in zip(offers, policy, strict=True)]
    return sum(best) / len(best)
