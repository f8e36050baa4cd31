"""Duels end with the best arm, and backward duels with the best policy of a small world."""

from __future__ import annotations

from math import log, sqrt
from random import Random

import pytest

from posttrain.selection.duels import Duels, backward_duels


def fought(odds, delta=0.05, most=5000, seed=0):
    """Duels that i wins against j with probability odds(i, j)."""
    chance, duels = Random(seed), Duels(4, delta)
    while duels.open and duels.rounds < most:
        duels.record({(i, j): float(chance.random() < odds(i, j)) for i, j in duels.open})
    return duels


def test_golden_width():
    """Six pairs after five rounds at δ = 0.1."""
    duels = Duels(4, 0.1)
    duels.rounds = 5
    assert duels.width == pytest.approx(sqrt(log(4 * 6 * 25 / 0.1) / 10))


def test_golden_a_sure_win_takes_as_many_rounds_as_the_width_says():
    """Two arms, δ = 0.05: √(log(80 n²)/2n) falls below 1/2 at n = 21."""
    duels = Duels(2, 0.05)
    while duels.open:
        duels.record({(0, 1): 0.0})
    assert duels.rounds == 21
    assert duels.winner == 1


@pytest.mark.paper("zhang20248x9")
@pytest.mark.parametrize("best", range(4))
def test_the_condorcet_winner_is_found(best):
    worth = [float(i == best) + 0.1 * i for i in range(4)]
    assert fought(lambda i, j: 0.5 + 0.3 * (worth[i] - worth[j])).winner == best


def test_it_errs_no_more_often_than_it_may():
    """Of a hundred contests with odds of 6 : 4, at most δ = 0.1 of them."""
    wrong = sum(fought(lambda i, j: 0.6 if i < j else 0.4, 0.1, seed=seed).winner != 0 for seed in range(100))
    assert wrong <= 10


def test_equals_never_end_and_the_luckier_one_is_taken():
    duels = fought(lambda *_: 0.5, most=200)
    assert duels.rounds == 200
    assert duels.winner in duels.alive


def test_a_circle_leaves_one_of_its_own():
    cycle = {(0, 1): 1.0, (1, 2): 1.0, (0, 2): 0.0, (0, 3): 1.0, (1, 3): 1.0, (2, 3): 1.0}
    duels = Duels(4)
    for _ in range(100):
        duels.record({pair: cycle[pair] for pair in duels.open})
    assert not duels.open
    assert duels.winner in (0, 1, 2)


# ---- a world of three steps


class World:
    """Three steps, two states, three actions; chance decides where one lands and what one gets. People see sums."""

    STATES = [[0, 1]] * 3

    def __init__(self, seed: int) -> None:
        chance = Random(seed)
        self.stay = {(h, s, a): chance.random() for h in range(3) for s in range(2) for a in range(3)}
        self.pay = {(h, s, a): chance.random() for h in range(3) for s in range(2) for a in range(3)}
        self.chance = Random(seed + 1)

    def values(self):
        """Q of every step by dynamic programming."""
        q, after = {}, [0.0, 0.0]
        for h in (2, 1, 0):
            for s in range(2):
                for a in range(3):
                    stay = self.stay[h, s, a]
                    q[h, s, a] = self.pay[h, s, a] + stay * after[s] + (1 - stay) * after[1 - s]
            after = [max(q[h, s, a] for a in range(3)) for s in range(2)]
        return q

    def total(self, h, s, a, policy):
        got = 0.0
        while True:
            got += float(self.chance.random() < self.pay[h, s, a])
            s = s if self.chance.random() < self.stay[h, s, a] else 1 - s
            h += 1
            if h == 3:
                return got
            a = policy[h, s]

    def compare(self, size):
        def better(h, s, a, b, policy):
            lead = sum(self.total(h, s, a, policy) - self.total(h, s, b, policy) for _ in range(size))
            return 0.5 + 0.5 * (lead > 0) - 0.5 * (lead < 0)

        return better


@pytest.mark.paper("zhang20248x9")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_backward_duels_find_a_policy_as_good_as_the_best(seed):
    world = World(seed)
    q = world.values()
    policy = backward_duels(World.STATES, 3, world.compare(16), most=200)
    assert len(policy) == 6
    for (h, s), a in policy.items():
        assert q[h, s, a] > max(q[h, s, b] for b in range(3)) - 0.06


def test_batches_show_the_mean_where_single_trajectories_mislead():
    """One action always pays 0.4, the other 1 in 45 of 100 cases: worth more, and yet it loses most duels of one."""
    chance = Random(5)

    def compare(size):
        def better(_, __, a, b, ___):
            got = {x: sum(0.4 if x == 0 else float(chance.random() < 0.45) for _ in range(size)) for x in (a, b)}
            return float(got[a] > got[b])

        return better

    ends = {size: backward_duels([["start"]], 2, compare(size), most=3000)[0, "start"] for size in (1, 101)}
    assert ends == {1: 0, 101: 1}
