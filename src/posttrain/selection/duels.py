"""Finding the best action from comparisons alone: duels between arms, and policies built from them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import combinations
from math import log, sqrt

Policy = dict[tuple[int, Hashable], int]  # (step, state) -> action
# step, state, two actions, the policy after them -> 1 if the first wins
Compare = Callable[[int, Hashable, int, int, Policy], float]


class Duels:
    """Round robins between arms until one has surely beaten every other; δ bounds the probability of an error."""

    def __init__(self, arms: int, delta: float = 0.05) -> None:
        self.alive = list(range(arms))
        self.delta = delta
        self.rounds = 0
        self.wins = dict.fromkeys(combinations(range(arms), 2), 0.0)

    @property
    def open(self) -> list[tuple[int, int]]:
        """Pairs to compare next; empty once there is a winner."""
        return list(combinations(self.alive, 2))

    @property
    def width(self) -> float:
        """Confidence width of a share of wins: √(log(4 |pairs| n²/δ) / 2n), for all n and all pairs at once."""
        n = max(self.rounds, 1)
        return sqrt(log(4 * max(len(self.wins), 1) * n * n / self.delta) / (2 * n))

    def record(self, outcomes: Mapping[tuple[int, int], float]) -> None:
        """Record a round: 1 where the first arm of a pair has won, 0 where it has lost. Surely beaten arms leave.

        Where every arm is beaten, in a cycle, the one with most wins stays.
        """
        self.rounds += 1
        for pair in self.open:
            self.wins[pair] += outcomes[pair]
        lost = {b if self.share(a, b) > 0.5 else a for a, b in self.open if abs(self.share(a, b) - 0.5) > self.width}
        self.alive = [a for a in self.alive if a not in lost] or [self.winner]

    def share(self, a: int, b: int) -> float:
        """Share of the duels between two remaining arms that the first has won."""
        n = max(self.rounds, 1)
        return self.wins[a, b] / n if a < b else 1 - self.wins[b, a] / n

    @property
    def winner(self) -> int:
        """The remaining arm, or of several the one with most wins."""
        return max(self.alive, key=lambda a: sum(self.share(a, b) for b in self.alive if b != a))


def backward_duels(
    states: Sequence[Sequence[Hashable]], actions: int, compare: Compare, *, delta: float = 0.05, most: int = 1000
) -> Policy:
    """Return the best action in each state, from the last step to the first (Zhang, Wei and Ying, 2024).

    `states`: those of each step. `compare` says which of two batches of trajectories is better; they differ only in the
    action at this step and follow the policy afterwards. `most`: rounds in each state.
    """
    policy: Policy = {}
    shared = delta / max(sum(map(len, states)), 1)
    for step in reversed(range(len(states))):
        for state in states[step]:
            duels = Duels(actions, shared)
            while duels.open and duels.rounds < most:
                duels.record({(a, b): compare(step, state, a, b, policy) for a, b in duels.open})
            policy[step, state] = duels.winner
    return policy
