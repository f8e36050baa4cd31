"""Credit for the turns of a conversation. What others wrote between two turns takes no time and has no value.

`token_reward` and `dense_reward` hold the reward of a turn at its last token. A conversation of one turn has the credit
that a single answer has.
"""

from __future__ import annotations

from typing import Literal

import torch

from posttrain.core.maths.groups import Groups
from posttrain.core.maths.segments import Segments
from posttrain.core.maths.turns import ends, turns, whole
from posttrain.core.parts import ComparedGroup, PerRow, PerToken
from posttrain.core.rows import Rows


def gae_over_turns(
    token_reward: PerToken,
    old_value: PerToken,
    turn: PerToken,
    conversation: PerRow,
    rows: Rows,
    *,
    turn_gamma: float = 1.0,
    lam: float = 0.95,
) -> PerToken:
    """Advantages of tokens by GAE, where time passes between turns only.

        A_t = δ_t + γ_t λ A_{t+1},    δ_t = r_t + γ_t V_{t+1} - V_t,    γ_t = γ at the last token of a turn, else 1

    t + 1 is the next token that the model wrote; V after the last one is 0.

    Settings:
        turn_gamma: γ, discount of a turn; 0 to 1, where 1 does not discount and 0.95 is usual.
        lam: λ, weight of sampled rewards against the critic; 0 (one step) to 1 (the whole conversation), usually 0.95.
    """
    joined = whole(conversation, rows)
    rate = torch.where(ends(turn, conversation, rows), turn_gamma, 1.0).to(old_value.dtype)
    return joined.discount(token_reward + rate * joined.next(old_value) - old_value, rate * lam)


def return_over_turns(
    token_reward: PerToken, turn: PerToken, conversation: PerRow, rows: Rows, *, turn_gamma: float = 1.0
) -> PerToken:
    """Sum of this and all later rewards, discounted once for each turn that ends before them.

    Settings:
        turn_gamma: γ, discount of a turn; 0 to 1, where 1 does not discount and 0.95 is usual.
    """
    rate = torch.where(ends(turn, conversation, rows), turn_gamma, 1.0).to(token_reward.dtype)
    return whole(conversation, rows).discount(token_reward, rate)


def turn_value(old_value: PerToken, turn: PerToken, conversation: PerRow, rows: Rows) -> PerToken:
    """Value of the state in which the turn begins, V_k, at each of its tokens."""
    own = turns(turn, conversation, rows)
    return own.spread(own.first(old_value))


def turn_gae(
    token_reward: PerToken,
    turn_value: PerToken,
    turn: PerToken,
    conversation: PerRow,
    rows: Rows,
    *,
    turn_gamma: float = 1.0,
    lam: float = 0.95,
) -> PerToken:
    """Advantages by GAE where a whole turn is one action, at each of its tokens.

        A_k = δ_k + γλ A_{k+1},    δ_k = Σ_{t in turn k} r_t + γ V_{k+1} - V_k

    Settings:
        turn_gamma: γ, discount of a turn; 0 to 1, where 1 does not discount and 0.95 is usual.
        lam: λ, weight of sampled rewards against the critic; 0 (one turn) to 1 (the whole conversation), usually 0.95.
    """
    own = turns(turn, conversation, rows)
    value = own.first(turn_value)
    error = own.sum(token_reward) + turn_gamma * own.rows.next(value) - value
    return own.spread(own.rows.discount(error, turn_gamma * lam))


def win_minus_kl_over_turns(
    dense_reward: PerToken,
    old_logp: PerToken,
    ref_logp: PerToken,
    conversation: PerRow,
    rows: Rows,
    *,
    tau: float = 0.1,
) -> PerToken:
    """Token rewards: the probability that the conversation beats the other one, less one half and the price of the KL.

        r_t = [t last] (P(c ≻ c') - 1/2) - τ log π/π_ref

    Settings:
        tau: τ, price of a nat of KL to the reference; 0 or more, 0.01 to 0.1 is usual.
    """
    joined = whole(conversation, rows)
    half = joined.at_last(dense_reward.new_full((joined.count,), 0.5))
    return dense_reward - half - tau * (old_logp - ref_logp)


def standardised_turns(
    dense_reward: PerToken,
    group: ComparedGroup,
    turn: PerToken,
    conversation: PerRow,
    rows: Rows,
    *,
    turn_gamma: float = 1.0,
    standardise: Literal["rewards", "returns"] = "rewards",
    among: Literal["turn", "group"] = "turn",
    eps: float = 1e-6,
    ddof: int = 1,
) -> PerToken:
    """Advantages of turns relative to those of the other conversations from the same prompt, at each token.

        rewards:  A_k = Σ_{j>=k} γ^{j-k} (r_j - mean_j)/(std_j + ε)
        returns:  A_k = (G_k - mean_k)/(std_k + ε),    G_k = Σ_{j>=k} γ^{j-k} r_j

    Mean and deviation are those of the k-th turns of the group, or of all its turns. Turns that are all equal, and one
    without another to compare it with, have 0.

    Settings:
        turn_gamma: γ, discount of a turn; 0 to 1, where 1 does not discount.
        standardise: name of what is compared: rewards of turns, then added up, or returns.
        among: name of whom a turn is compared with: turn, those of the same number, or group, all of them.
        eps: ε, keeps the division finite; above 0 and far below the deviation, 1e-6 to 1e-4 is usual.
        ddof: degrees of freedom that the variance gives up; 0 divides by the number n of turns, 1 by n - 1.
    """
    own = turns(turn, conversation, rows)
    groups = _peers(own, group, turn, rows, alike=among == "turn")
    credit = own.sum(dense_reward)
    if standardise == "returns":
        return own.spread(groups.standardise(own.rows.discount(credit, turn_gamma), eps, ddof))
    return own.spread(own.rows.discount(groups.standardise(credit, eps, ddof), turn_gamma))


def _peers(own: Segments, group: torch.Tensor, turn: torch.Tensor, rows: Rows, *, alike: bool) -> Groups:
    """The turns of each group, or those of one number."""
    first = own.place[own.position()[own.place] == 0]
    _, index = torch.unique(group[rows.index[first]], return_inverse=True)
    if alike:
        _, number = torch.unique(turn[first], return_inverse=True)
        index = index * len(first) + number
    return Groups.of(index, torch.ones_like(index, dtype=torch.bool))
