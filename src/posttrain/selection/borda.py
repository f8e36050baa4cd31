"""LLaMA-Berry's enhanced Borda count (Zhang et al., 2024): a ranking of answers from comparisons of every two of them.

`wins`: P(i is better than j), a row for each answer i. The diagonal is not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Wins = Sequence[Sequence[float]]


def closure(wins: Wins) -> list[list[bool]]:
    """Return who is better than whom, directly or over others: P(i > j) >= 1/2, and its transitive closure (Warshall).

    Nobody is better than itself; in a cycle everybody is better than everybody else.
    """
    n = len(wins)
    better = [[i != j and wins[i][j] >= 0.5 for j in range(n)] for i in range(n)]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                better[i][j] = better[i][j] or (i != j and better[i][k] and better[k][j])
    return better


def ranked(wins: Wins) -> list[int]:
    """Return the answers, the best first: by how many each is better than in the closure, then softly.

    Answers with equal counts are ordered by P(i > j) - P(j > i), summed over the answers of that count. That is the
    paper's comparison for two; for more it is ours, since theirs need not be an order.
    """
    counts = [sum(row) for row in closure(wins)]

    def soft(i: int) -> float:
        return sum(wins[i][j] - wins[j][i] for j in range(len(wins)) if j != i and counts[j] == counts[i])

    return sorted(range(len(wins)), key=lambda i: (-counts[i], -soft(i)))


def quantiles(wins: Wins) -> list[float]:
    """Return the global value of each answer, 1 - (rank - 1)/(n - 1), from 1 for the best to 0; 1 for a single one."""
    order = ranked(wins)
    last = max(1, len(order) - 1)
    return [1 - order.index(i) / last for i in range(len(order))]


def values(wins: Wins, children: Mapping[int, Sequence[int]], *, weight: float = 0.9) -> list[float]:
    """Return the value of each node of a search tree: α Q_global + (1-α) Q_local.

    Q_local is the share of a node's children that it is better than in the closure; of a leaf there is none, and the
    global value counts alone. `children`: those of each node. `weight`: α, 0 to 1.
    """
    better, whole = closure(wins), quantiles(wins)
    local = {v: sum(better[v][u] for u in own) / len(own) for v, own in children.items() if own}
    return [weight * q + (1 - weight) * local.get(v, q) for v, q in enumerate(whole)]


def backed_up(parent: float, child: float, *, rate: float = 0.5) -> float:
    """Return the value of a node after that of a new child is known: (1-γ) Q(parent) + γ Q(child); γ = `rate`."""
    return (1 - rate) * parent + rate * child
