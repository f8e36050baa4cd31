"""Episodes of edits and how the editor learns from them: proximal policy optimisation with generalised advantages.

r_t = s_t - s_{t-1}, so that Σ_t r_t = s_T - s_0        A_t = Σ_k (γλ)^k δ_{t+k},    δ_t = r_t + γ V_{t+1} - V_t
L = -min(ρ A, clip(ρ, 1 ± ε) A) + c_V (V - R)² - c_H H[π]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from posttrain.search.prompts.editor import Editor, Views


@dataclass(frozen=True)
class Rollout:
    """Edits of N prompts side by side, T steps. All tensors are [T, N] but `views`, which are T · N rows.

    `alive`: whether the prompt was still edited in the step. What is not alive has no part in any loss.
    """

    views: Views
    actions: Tensor
    logp: Tensor
    values: Tensor
    rewards: Tensor
    alive: Tensor


@dataclass(frozen=True)
class Rates:
    """How the editor learns beside its learning rate; the numbers are those of the authors' command."""

    discount: float = 0.999
    decay: float = 0.95
    entropy: float = 0.01
    value: float = 0.5
    clip: float = 0.2
    passes: int = 4


def advantages(rewards: Tensor, values: Tensor, alive: Tensor, *, discount: float, decay: float) -> Tensor:
    """Return the generalised advantages [T, N]. Behind the last step of an episode the value is 0."""
    found, following, value = [], torch.zeros_like(values[0]), torch.zeros_like(values[0])
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + discount * value - values[t]
        following = torch.where(alive[t], delta + discount * decay * following, 0)
        value = torch.where(alive[t], values[t], 0)
        found.append(following)
    return torch.stack(found[::-1])


def learn(editor: Editor, optimiser: torch.optim.Optimizer, rollout: Rollout, rates: Rates) -> dict[str, float]:
    """Update the editor in place; returns the losses of the last pass."""
    alive = rollout.alive.flatten()
    gained = advantages(
        rollout.rewards, rollout.values, rollout.alive, discount=rates.discount, decay=rates.decay
    ).flatten()[alive]
    returns = gained + rollout.values.flatten()[alive]
    scaled = (gained - gained.mean()) / (gained.std(correction=0) + 1e-5)
    views, taken, before = rollout.views[alive], rollout.actions.flatten()[alive], rollout.logp.flatten()[alive]
    shown: dict[str, float] = {}
    for _ in range(rates.passes):
        logp, values = editor(views)
        losses = _losses(logp, values, taken, before, scaled, returns, rates.clip)
        loss = losses["policy"] + rates.value * losses["value"] - rates.entropy * losses["entropy"]
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(editor.parameters(), 0.5)
        optimiser.step()
        shown = {name: float(x.detach()) for name, x in losses.items()}
    return shown


def _losses(
    logp: Tensor, values: Tensor, taken: Tensor, before: Tensor, gained: Tensor, returns: Tensor, clip: float
) -> dict[str, Tensor]:
    ratio = (logp.gather(1, taken[:, None]).squeeze(1) - before).exp()
    surrogate = torch.minimum(ratio * gained, ratio.clamp(1 - clip, 1 + clip) * gained)
    return {
        "policy": -surrogate.mean(),
        "value": (values - returns).square().mean(),
        "entropy": -(logp.exp() * logp).sum(1).mean(),
    }


def drawn(logp: Tensor, chances: Sequence[float]) -> Tensor:
    """Return an edit for each row: the first at which the probabilities add up to more than its chance."""
    below = logp.exp().double().cumsum(1) <= torch.tensor(chances, dtype=torch.float64)[:, None]
    return below.sum(1).clamp(max=logp.shape[1] - 1)
