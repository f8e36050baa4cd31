"""Macro actions: several tokens that are one action, where they begin, and their advantages."""

from __future__ import annotations

from typing import Literal

import torch

from posttrain.core.batch import keyed_uniform
from posttrain.core.maths.divergence import bounded_exp
from posttrain.core.maths.segments import Segments
from posttrain.core.parts import PerRow, PerToken, Scalar
from posttrain.core.rows import Rows

LENGTHS = (1, 2, 3, 5, 10)  # of the macro actions that are drawn by lot


def every_few_tokens(rows: Rows, *, n: int = 5) -> PerToken:
    """1 where a macro action begins: at every n-th token of the answer.

    Settings:
        n: tokens of a macro action; at least 1, where 1 is PPO; 5 in the paper.
    """
    return (rows.mask & (rows.position() % n == 0)).to(torch.get_default_dtype())


def drawn_lengths(row_id: PerRow, seed: Scalar, rows: Rows, *, repeats: int = 5) -> PerToken:
    """1 where a macro action begins, after 1, 2, 3, 5 or 10 tokens in a random order; the rest of the answer is one.

    Settings:
        repeats: how often each of the five lengths is in the lot of an answer; at least 1.
    """
    lot = torch.tensor(LENGTHS * repeats, device=row_id.device)
    lots = row_id[:, None] * len(lot) + torch.arange(len(lot), device=row_id.device)
    order = keyed_uniform(int(seed), lots.flatten()).view(lots.shape).argsort(1)
    longest = rows.length().max()
    ends = lot[order].cumsum(1).clamp(max=longest)
    begins = torch.zeros(rows.count, int(longest) + 1, dtype=torch.bool, device=row_id.device).scatter(1, ends, True)
    chosen = begins[rows.index, rows.position()] | (rows.position() == 0)
    return (rows.mask & chosen).to(torch.get_default_dtype())


def where_surprise_rises(ref_logp: PerToken, rows: Rows) -> PerToken:
    """1 where a macro action begins: at a token whose perplexity under the reference is higher than the one before."""
    surprised = (ref_logp < rows.previous(ref_logp)) | (rows.position() == 0)
    return (rows.mask & surprised).to(ref_logp.dtype)


def behind_each_mark(token_reward_phrases: PerToken, rows: Rows) -> PerToken:
    """1 where a macro action begins: behind a token that the reward `phrases` gives a number, the end of a phrase."""
    begins = (rows.previous(token_reward_phrases) != 0) | (rows.position() == 0)
    return (rows.mask & begins).to(token_reward_phrases.dtype)


def macro_value(
    old_value: PerToken,
    macro: PerToken,
    rows: Rows,
    *,
    weights: Literal["equal", "first", "last", "position"] = "equal",
) -> PerToken:
    """Value of the macro action, at each of its tokens: Σ_i w_i V(s_{t+i}).

        equal 1/k,    first 1 at i = 0,    last 1 at i = k - 1,    position 1/(i+1), divided by their sum

    Settings:
        weights: name of w, one of the four above; `first` is the value of the state in which the action is chosen.
    """
    steps = Segments.of(macro, rows)
    match weights:
        case "first":
            return steps.spread(steps.first(old_value))
        case "last":
            return steps.spread(steps.last(old_value))
        case "position":
            share = 1 / (1 + steps.position()).to(old_value.dtype)
            return steps.spread(steps.sum(share * old_value) / steps.sum(share))
    return steps.spread(steps.sum(old_value) / steps.length())


def macro_gae(
    token_reward: PerToken, macro_value: PerToken, macro: PerToken, rows: Rows, *, gamma: float = 1.0, lam: float = 0.95
) -> PerToken:
    """Advantages of macro actions, at each of their tokens: a semi-Markov GAE (Sutton, Precup and Singh, 1999).

        A_τ = δ_τ + γ^{k_τ} λ A_{τ+1},    δ_τ = Σ_{i<k_τ} γ^i r_{t_τ+i} + γ^{k_τ} V_{τ+1} - V_τ

    k_τ is the number of tokens of the macro action τ; V after the last one is 0.

    Settings:
        gamma: γ, discount of a token; 0 to 1, where 1 does not discount.
        lam: λ, weight of sampled rewards against the critic; 0 (one macro action) to 1 (the whole answer).
    """
    steps = Segments.of(macro, rows)
    earned = steps.sum(token_reward * gamma ** steps.position())
    value = steps.first(macro_value)
    rate = gamma ** steps.length().double()
    bootstrap = rate.to(value.dtype) * steps.rows.next(value)
    credit = steps.rows.discount(earned + bootstrap - value, (rate * lam).to(value.dtype))
    return steps.spread(credit)


def macro_ratio(
    logp: PerToken, old_logp: PerToken, macro: PerToken, rows: Rows, *, of: Literal["token", "macro"] = "token"
) -> PerToken:
    """Probability ratio that is clipped: that of the token, or that of its macro action, π(ω_τ) / π_old(ω_τ).

    The gradient of the latter at a token is that of the token's own log-prob. They add up to the gradient of the ratio.

    Settings:
        of: name of whose ratio: token, as in the authors' code, or macro, as in the paper.
    """
    if of == "token":
        return bounded_exp(logp - old_logp)
    steps = Segments.of(macro, rows)
    whole = steps.spread(steps.sum((logp - old_logp).detach()))
    return bounded_exp(whole + (logp - logp.detach()))
