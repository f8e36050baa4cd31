"""Credit for decisions: whole actions, one row for each that was taken."""

from __future__ import annotations

import torch

from posttrain.core.parts import PerRow, PerToken
from posttrain.core.rows import Rows
from posttrain.formulas.losses.choices import at_prompt


def prompt_value(old_value: PerToken, rows: Rows) -> PerRow:
    """Value before the update of the state in which a decision is taken."""
    return at_prompt(old_value, rows)


def gae_over_choices(
    reward: PerRow,
    prompt_value: PerRow,
    conversation: PerRow,
    moment: PerRow,
    duration: PerRow,
    rows: Rows,
    *,
    gamma: float = 0.99,
    lam: float = 0.95,
) -> PerRow:
    """Advantages of decisions by GAE, where an action takes some time; 0 in rows not chosen.

        A_k = δ_k + γ^{d_k} λ A_{k+1},    δ_k = r_k + γ^{d_k} V_{k+1} - V_k

    k + 1 is the next decision of the same episode, d_k the steps that an action takes; V after the last one is 0.

    Settings:
        gamma: γ, discount of a step; 0 to 1, 0.9 to 1 is usual.
        lam: λ, weight of sampled rewards against the critic; 0 (one decision) to 1 (the whole episode), usually 0.95.
    """
    chosen = rows.trained.nonzero()[:, 0]
    if not len(chosen):
        return torch.zeros_like(prompt_value)
    chosen = chosen[moment[chosen].argsort(stable=True)]
    chosen = chosen[conversation[chosen].argsort(stable=True)]
    _, episode = torch.unique_consecutive(conversation[chosen], return_inverse=True)
    steps = Rows(episode, torch.ones_like(episode, dtype=torch.bool), int(episode[-1]) + 1)
    value, rate = prompt_value[chosen], gamma ** duration[chosen].to(prompt_value.dtype)
    error = reward[chosen].to(value.dtype) + rate * steps.next(value) - value
    return torch.zeros_like(prompt_value).index_copy(0, chosen, steps.discount(error, rate * lam))


def choice_return(choice_credit: PerRow, prompt_value: PerRow) -> PerRow:
    """What the critic learns: the advantage before it is standardised, and the value, A + V."""
    return choice_credit + prompt_value


def whitened_choices(choice_credit: PerRow, rows: Rows, *, eps: float = 1e-8) -> PerRow:
    """Standardised advantages of the decisions, 0 in rows not chosen: (A - mean) / (std + ε).

    Settings:
        eps: ε, keeps the division finite; above 0 and far below the deviation, 1e-8 is usual.
    """
    own = choice_credit[rows.trained]
    if not len(own):
        return torch.zeros_like(choice_credit)
    return torch.where(rows.trained, (choice_credit - own.mean()) / (own.std(correction=0) + eps), 0)
