"""Value iteration on a table, with or without a KL to a prior over actions.

Q(s, a) = R(s, a) + γ Σ_s' P(s' | s, a) V(s')
V(s) = max_a Q(s, a)                                      without a prior
V(s) = λ log Σ_a p(a | s) exp(Q(s, a) / λ)                the maximum of E_π[Q] - λ KL(π || p), reached by
π(a | s) = p(a | s) exp((Q(s, a) - V(s)) / λ)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posttrain.learners.world import Floats, Table


@dataclass(frozen=True)
class Values:
    """`V` [S], `Q` [S, A] and the policy [S, A] that reaches them; without a prior ties share evenly."""

    V: Floats
    Q: Floats
    policy: Floats


def value_iteration(
    table: Table, *, prior: Floats | None = None, strength: float = 0.0, tolerance: float = 1e-12
) -> Values:
    """Iterate until no value moves by more than `tolerance`.

    `prior` [S, A]: probabilities of the actions; `strength`: λ, at least 0, and 0 is the plain maximum.
    """
    V = np.zeros(len(table.states))
    while True:
        Q = backed_up(table, V)
        new = np.where(table.terminal, 0.0, best(Q, prior, strength))
        if np.abs(new - V).max() <= tolerance:
            return Values(new, Q, policy_of(Q, prior, strength))
        V = new


def backed_up(table: Table, V: Floats) -> Floats:
    """Q [S, A] of values [S]."""
    return np.asarray(table.R + table.discount * table.P @ V)


def best(Q: Floats, prior: Floats | None = None, strength: float = 0.0) -> Floats:
    """The values [S] of Q [S, A]: the maximum, or the regularised one."""
    highest = Q.max(axis=1)
    if prior is None or strength == 0:
        return np.asarray(highest)
    weights = prior * np.exp((Q - highest[:, None]) / strength)
    return np.asarray(highest + strength * np.log(weights.sum(axis=1)))


def policy_of(Q: Floats, prior: Floats | None = None, strength: float = 0.0) -> Floats:
    """The policy [S, A] that reaches these values."""
    if prior is None or strength == 0:
        weights = np.isclose(Q, Q.max(axis=1, keepdims=True), rtol=0, atol=1e-9).astype(np.float64)
    else:
        weights = prior * np.exp((Q - Q.max(axis=1, keepdims=True)) / strength)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def worth(table: Table, policy: Floats) -> float:
    """What a policy [S, A] earns from the beginning, exactly."""
    return float(table.start @ evaluated(table, policy))


def evaluated(table: Table, policy: Floats) -> Floats:
    """The values [S] of a policy [S, A], exactly: V = (I - γ P_π)⁻¹ R_π."""
    P = np.einsum("sa,sat->st", policy, table.P)
    R = np.where(table.terminal, 0.0, (policy * table.R).sum(axis=1))
    P[table.terminal] = 0.0
    return np.asarray(np.linalg.solve(np.eye(len(R)) - table.discount * P, R))
