"""Rank Analysis of Incomplete Block Designs (Bradley and Terry, 1952): ratings of models from comparisons.

    P(i beats j) = σ(s_i - s_j)        a tie is half a win for both

The likelihood is maximised by Hunter's (2004) minorisation; ratings have mean 0. Ratings in Elo's scale are
400 / log 10 times as large.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

ELO = 400 / math.log(10)
Wins = Mapping[tuple[str, str], float]  # (winner, loser) -> how often; half for each in a tie


def bradley_terry(wins: Wins, *, rounds: int = 10_000, tolerance: float = 1e-10) -> dict[str, float]:
    """Return the rating of each player. ValueError unless each has beaten the others, directly or by others.

    Otherwise the ratings of some would be infinite.
    """
    players = sorted({p for pair in wins for p in pair})
    if not players:
        return {}
    _check_connected(wins, players)
    games = {(a, b): wins.get((a, b), 0.0) + wins.get((b, a), 0.0) for a in players for b in players if a != b}
    won = {a: math.fsum(wins.get((a, b), 0.0) for b in players) for a in players}
    strength = dict.fromkeys(players, 1.0)
    for _ in range(rounds):
        new = {
            a: won[a] / math.fsum(games[a, b] / (strength[a] + strength[b]) for b in players if b != a) for a in players
        }
        middle = math.exp(math.fsum(map(math.log, new.values())) / len(players))
        new = {a: x / middle for a, x in new.items()}
        done = max(abs(math.log(new[a] / strength[a])) for a in players) < tolerance
        strength = new
        if done:
            break
    return {a: math.log(x) for a, x in strength.items()}


def _check_connected(wins: Wins, players: list[str]) -> None:
    beaten = {a: {b for b in players if wins.get((a, b), 0.0) > 0} for a in players}
    for first in players:
        reached, new = {first}, {first}
        while new:
            new = set().union(*(beaten[a] for a in new)) - reached
            reached |= new
        if missing := sorted(set(players) - reached):
            raise ValueError(f"{first} never beat {missing[0]}, directly or by others: a rating would be infinite")
