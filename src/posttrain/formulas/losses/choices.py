"""Losses of policies over lists of candidates: one decision is a group of rows, of which the chosen one is trained."""

from __future__ import annotations

from typing import Literal

import torch

from posttrain.core.maths.groups import Groups
from posttrain.core.parts import PerRow, PerToken, Scalar
from posttrain.core.rows import Rows
from posttrain.formulas.losses.values import clipped_value


def choice_logp(
    logp: PerToken,
    words: PerRow,
    group: PerRow,
    written: Rows,
    *,
    normalise: Literal["sum", "token", "word"] = "sum",
) -> PerRow:
    """Log-probability of each candidate among those of its decision.

        log π(a_i) = s_i - log Σ_j e^{s_j},    s_i = 1/n_i Σ_t log p(w_t | prompt, w_<t)

    Settings:
        normalise: n, sum (1), token (the candidate's tokens) or word (its words); sum favours short candidates.
    """
    return _among(_score(logp, words, written, normalise), group, written)[1]


def _score(logp: torch.Tensor, words: torch.Tensor, written: Rows, normalise: str) -> torch.Tensor:
    sums = written.sum(logp)
    if normalise == "token":
        return sums / written.length().clamp(min=1)
    return sums / words if normalise == "word" else sums


def _among(score: torch.Tensor, group: torch.Tensor, written: Rows) -> tuple[Groups, torch.Tensor]:
    groups = Groups.of(group, written.trained)
    above = score - groups.max(score.detach())
    return groups, above - groups.sum(above.exp()).log()


def minus_choice_entropy(choice_logp: PerRow, group: PerRow, written: Rows) -> PerRow:
    """Minus the entropy of a decision, at each of its rows: Σ_j π(a_j) log π(a_j)."""
    return Groups.of(group, written.trained).sum(choice_logp.exp() * choice_logp)


def clipped_choice(
    choice_logp: PerRow, old_choice_logp: PerRow, choice_advantage: PerRow, *, clip: float = 0.2
) -> PerRow:
    """PPO's surrogate of a decision, with the ratio of the chosen candidate.

        -min(ρ A, clip(ρ, 1-ε, 1+ε) A),    ρ = π(a)/π_old(a)

    Settings:
        clip: ε, how far the ratio may move from 1 and still gain; 0.1 to 0.3.
    """
    ratio = (choice_logp - old_choice_logp).exp()
    return -torch.minimum(ratio * choice_advantage, ratio.clamp(1 - clip, 1 + clip) * choice_advantage)


def choice_kl(choice_logp: PerRow, old_choice_logp: PerRow) -> PerRow:
    """How far the policy has moved, as the chosen candidates tell: ρ - 1 - log ρ."""
    moved = choice_logp - old_choice_logp
    return torch.expm1(moved) - moved


def too_far(choice_logp: PerRow, old_choice_logp: PerRow, rows: Rows, *, target_kl: float = 0.02) -> Scalar:
    """1 where the mean of ρ - 1 - log ρ over the decisions is above the target, else 0.

    Settings:
        target_kl: KL from which no further step is taken; above 0, 0.01 to 0.05.
    """
    moved = choice_kl(choice_logp, old_choice_logp)[rows.trained]
    return (moved.mean() > target_kl).to(moved.dtype) if len(moved) else moved.new_zeros(())


def clipped_choice_value(
    value: PerToken, prompt_value: PerRow, choice_return: PerRow, rows: Rows, *, clip: float = 0.2
) -> PerRow:
    """Squared error of the value at the end of the prompt, clipped around the old one as PPO's.

    Settings:
        clip: ε_v, how far a value may move from the old one; above 0, in units of the return, 0.2 is usual.
    """
    return clipped_value(at_prompt(value, rows), prompt_value, choice_return, clip=clip)


def at_prompt(value: PerToken, rows: Rows) -> PerRow:
    """Value of the state in which the decision is taken: after the last token of the prompt; 0 in rows not chosen."""
    return rows.sum(torch.where(rows.position() == 0, value, 0))
