"""Lexicase selection is Pareto, finds every party, and depends on its seed alone."""

from __future__ import annotations

from collections import Counter
from random import Random
from unittest import mock

import pytest
import torch

from posttrain.selection.lexicase import contrasting, evolved, lexicase


def bits(table):
    """passed[c] of verdicts by hypothesis."""
    return [sum(1 << h for h, row in enumerate(table) if row[c]) for c in range(len(table[0]))]


def test_golden():
    """0 passes everything that 1 does and more; 2 alone passes the last case, 3 passes nothing."""
    table = [(1, 1, 0), (1, 0, 0), (0, 0, 1), (0, 0, 0)]
    won = Counter(lexicase(bits(table), 4, Random(seed)) for seed in range(300))
    assert set(won) == {0, 2}
    assert won[2] == pytest.approx(100, abs=30)  # whenever its case comes first


@pytest.mark.paper("boldi2024d0s")
@pytest.mark.parametrize("seed", range(20))
def test_nobody_passes_all_that_the_winner_passes_and_more(seed):
    random = Random(seed)
    table = [tuple(random.random() < 0.4 for _ in range(6)) for _ in range(12)]
    winner = table[lexicase(bits(table), 12, random)]
    assert not [row for row in table if row != winner and all(a >= b for a, b in zip(row, winner, strict=True))]


def test_who_passes_everything_wins_always():
    table = [(1, 0, 1), (1, 1, 1), (0, 1, 1)]
    assert {lexicase(bits(table), 3, Random(seed)) for seed in range(30)} == {1}


def test_two_parties_of_one_size_win_equally_often():
    table = [(1, 1, 0, 0), (0, 0, 1, 1)]
    won = Counter(lexicase(bits(table), 2, Random(seed)) for seed in range(400))
    assert won[0] == pytest.approx(200, abs=40)


def two_parties(count=200, d=4, seed=0):
    """Comparisons by people who look at the first coordinate, and by people who look at the second."""
    vectors = torch.randn(count, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    first = torch.arange(count) % 2 == 0
    return vectors * torch.where(first, vectors[:, 0], vectors[:, 1]).sign()[:, None], first


@pytest.mark.paper("boldi2024d0s")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_parties_are_found_without_knowing_who_belongs_to_which(seed):
    """A reward in the middle satisfies three quarters of each; the two that disagree most serve one party each."""
    differences, first = two_parties(seed=seed)
    one, two = (contrasting(evolved(differences, seed=3), differences, 2) @ differences.T > 0).double()
    if one[first].mean() < two[first].mean():
        one, two = two, one
    assert min(one[first].mean(), two[~first].mean()) > 0.8
    assert max(one[~first].mean(), two[first].mean()) < 0.75


def test_people_who_agree_are_all_served():
    differences, first = two_parties()
    agreeing = differences[first]
    found = evolved(agreeing, seed=3)
    assert float((found @ agreeing.T > 0).double().mean(1).min()) == 1


def test_no_two_agree_about_every_pair_and_the_seed_decides():
    differences, _ = two_parties()
    found = evolved(differences, generations=5, seed=1)
    verdicts = {tuple(row) for row in (found @ differences.T > 0).tolist()}
    assert len(verdicts) == len(found)
    assert torch.equal(found, evolved(differences, generations=5, seed=1))
    assert not torch.equal(found[0], evolved(differences, generations=5, seed=2)[0])


def drawn(count, d, seed):
    """The first directions of a search, of length 1, and what it draws next."""
    generator = torch.Generator().manual_seed(seed)
    draws = [torch.randn(count, d, generator=generator, dtype=torch.float64) for _ in range(2)]
    return [x / x.norm(dim=1, keepdim=True) for x in draws]


def test_golden_random_rewards():
    """Without a generation, the winners are among the first directions, and equal verdicts count once."""
    differences = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=torch.float64)
    found = evolved(differences, pool=40, generations=0, seed=4)
    first = drawn(40, 3, 4)[0]
    places = [[i for i, row in enumerate(first) if torch.allclose(row, w)] for w in found]
    assert all(len(p) == 1 for p in places)
    assert places == sorted(places)
    verdicts = [tuple((differences @ w > 0).tolist()) for w in found]
    assert len(set(verdicts)) == len(verdicts)
    satisfied = {tuple((differences @ w > 0).tolist()) for w in first}
    best = {
        v for v in satisfied if not any(v != o and all(x <= y for x, y in zip(v, o, strict=True)) for o in satisfied)
    }
    assert set(verdicts) == best


def test_golden_a_mutation():
    """A pool of one has itself as its parent: a step of 0.25 from it, and the length is 1 again."""
    first, step = drawn(1, 3, 4)
    moved = first + 0.25 * step
    found = evolved(torch.eye(3, dtype=torch.float64), pool=1, generations=1, mutation=0.25, seed=4)
    torch.testing.assert_close(found, moved / moved.norm())
    (default,) = evolved(torch.eye(3, dtype=torch.float64), pool=1, generations=1, seed=4)
    torch.testing.assert_close(default, (first + 0.1 * step)[0] / (first + 0.1 * step).norm())


def test_golden_a_generation_is_chosen_on_some_cases_and_the_end_on_all():
    with (
        mock.patch("posttrain.selection.lexicase.lexicase", return_value=0) as select,
        mock.patch("posttrain.selection.lexicase.Random", wraps=Random) as chance,
    ):
        evolved(torch.ones(9, 2, dtype=torch.float64), pool=3, generations=2, cases=4)
        evolved(torch.ones(2, 2, dtype=torch.float64), pool=1, generations=1, cases=4, seed=9)
    assert [call.args for call in chance.call_args_list] == [(0,), (9,)]
    seen = [(len(call.args[0]), call.args[1]) for call in select.call_args_list]  # cases, pool
    assert seen == [*[(4, 3)] * 6, *[(9, 3)] * 3, (2, 1), (2, 1)]


def test_golden_the_earlier_of_equal_rewards_is_returned():
    """No direction satisfies a difference of 0, so the winners agree, and the one that won first stays."""
    first = drawn(4, 2, 5)[0]
    with mock.patch("posttrain.selection.lexicase.lexicase", side_effect=[2, 0, 2, 1]) as select:
        found = evolved(torch.zeros(1, 2, dtype=torch.float64), pool=4, generations=0, seed=5)
    assert select.call_args.args[0] == [0]
    torch.testing.assert_close(found, first[[2]])


def test_golden_a_case_that_nobody_passes_is_passed_over():
    assert {lexicase([0, 0b10], 3, Random(seed)) for seed in range(9)} == {1}
    assert {lexicase([], 3, Random(seed)) for seed in range(30)} == {0, 1, 2}


def test_golden_a_reward_that_satisfies_just_enough_may_be_chosen():
    differences = torch.eye(2, dtype=torch.float64)
    rewards = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64)
    assert contrasting(rewards, differences, 2, share=0.5).tolist() == rewards.tolist()
    assert contrasting(rewards, differences, 2, share=0.51).tolist() == rewards[:1].tolist()
    assert contrasting(rewards, differences, 2).tolist() == rewards[:1].tolist()


def test_golden_of_contrasts():
    """Of four rewards the last satisfies nothing; the first and third disagree most, and the second is between them."""
    differences = torch.eye(4, dtype=torch.float64)
    rewards = torch.tensor([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 0]], dtype=torch.float64)
    assert contrasting(rewards, differences, 2).tolist() == rewards[[0, 2]].tolist()
    assert contrasting(rewards, differences, 9).tolist() == rewards[[0, 2, 1]].tolist()
    assert contrasting(rewards, differences, 1).tolist() == rewards[:1].tolist()
    assert contrasting(rewards[[1, 0, 2]], differences, 2).tolist() == rewards[[0, 2]].tolist()
