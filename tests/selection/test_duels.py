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
    for _ in range(99):
        if duels.open:
            duels.record({(0, 1): 0.0})
    assert duels.rounds == 21
    assert duels.winner == 1


@pytest.mark.paper("zhang20248x9")
def test_golden_a_round():
    """0 beats 1 and loses to 2; then 1 beats 0. Nobody is surely beaten: after two rounds the width is 1.07."""
    duels = Duels(3, 0.5)
    assert duels.open == [(0, 1), (0, 2), (1, 2)]
    assert duels.width == pytest.approx(sqrt(log(4 * 3 / 0.5) / 2))  # as after one round
    assert (duels.share(0, 1), duels.winner) == (0, 2)
    duels.record({(0, 1): 1.0, (0, 2): 0.0, (1, 2): 0.5})
    assert (duels.share(0, 1), duels.share(2, 1)) == (1, 0.5)
    duels.record({(0, 1): 0.0, (0, 2): 0.0, (1, 2): 1.0})
    assert duels.rounds == 2
    assert duels.width == pytest.approx(sqrt(log(4 * 3 * 4 / 0.5) / 4))
    shares = {(a, b): duels.share(a, b) for a in range(3) for b in range(3) if a != b}
    assert shares == {(0, 1): 0.5, (1, 0): 0.5, (0, 2): 0.0, (2, 0): 1.0, (1, 2): 0.75, (2, 1): 0.25}
    assert duels.alive == [0, 1, 2]
    assert duels.winner == 1  # shares sum to 0.5, 1.25 and 1.25


def test_golden_one_arm_has_won():
    assert (Duels(1).open, Duels(1).winner, Duels(1).delta) == ([], 0, 0.05)
    assert Duels(1, 0.5).width == pytest.approx(sqrt(log(4 / 0.5) / 2))


def test_golden_who_is_surely_beaten_is_out():
    """At δ = 0.9 the width is 0.396 after 30 rounds: a share of 28/30 is sure, one of 26/30 is not."""
    duels = Duels(3, 0.9)
    for n in range(30):
        duels.record({(0, 1): float(n >= 2), (0, 2): float(n >= 4), (1, 2): 0.5})
    assert (duels.alive, duels.open) == ([0, 2], [(0, 2)])
    assert duels.share(0, 2) == pytest.approx(26 / 30)
    assert duels.share(2, 0) == pytest.approx(4 / 30)
    assert duels.winner == 0


def test_golden_a_circle_keeps_the_one_with_most_wins():
    duels = Duels(3, 0.9)
    for _ in range(40):
        duels.record({pair: {(0, 1): 1.0, (1, 2): 1.0, (0, 2): 0.0}[pair] for pair in duels.open})
    assert duels.alive == [0]
    assert duels.rounds < 40 or not duels.open


class Judge:
    """Says which action is better, and notes what it was asked; it loses patience after 500 questions."""

    def __init__(self, outcome) -> None:
        self.outcome, self.asked = outcome, []

    def __call__(self, step, state, a, b, policy):
        self.asked.append((step, state, a, b, dict(policy)))
        assert len(self.asked) <= 500
        return self.outcome(step, state, a, b)


def test_golden_backward_duels():
    """The last step comes first, and the first step knows what follows. δ is shared by three states: 0.3 each."""
    judge = Judge(lambda step, state, a, b: float((step, state) == (1, "x")))
    policy = backward_duels([["s"], ["x", "y"]], 2, judge, delta=0.9)
    assert policy == {(1, "x"): 0, (1, "y"): 1, (0, "s"): 1}
    alone = Duels(2, 0.3)
    for _ in range(99):
        if alone.open:
            alone.record({(0, 1): 1.0})
    assert [q[:2] for q in judge.asked] == alone.rounds * [(1, "x")] + alone.rounds * [(1, "y")] + alone.rounds * [
        (0, "s")
    ]
    assert judge.asked[-1] == (0, "s", 0, 1, {(1, "x"): 0, (1, "y"): 1})


def test_golden_equals_are_given_up_after_as_many_rounds_as_are_allowed():
    judge = Judge(lambda *_: 0.5)
    assert backward_duels([["s"]], 2, judge, most=7) == {(0, "s"): 0}
    assert len(judge.asked) == 7
    assert backward_duels([], 2, judge) == {}


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
