"""The worst distribution of prompts."""

import itertools

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("mandal2025qf5")

RLOO, ROBUST = load("online/rloo"), load("online/robust_rlhf")
SAME = {n: [-1.0] for n in ("logp", "old_logp", "ref_logp", "rollout_logp")}
MEANS = [1.0, 2.0, 5.0, 0.0]  # of two answers each


def answers():
    return [answer(reward=m + x, group=7 * p, **SAME) for p, m in enumerate(MEANS) for x in (-1.0, 1.0)]


def weights(radius):
    made = step(configure(ROBUST, {"radius": radius}), *answers()).value("advantage")
    return [a[0] / -2.0 for a in made[::2]]


def test_a_radius_of_zero_is_rloo():
    one, rloo = (step(m, *answers()) for m in (configure(ROBUST, {"radius": 0.0}), RLOO))
    assert one.value("advantage") == rloo.value("advantage")
    assert one.metrics == rloo.metrics


@pytest.mark.parametrize("radius", [0.0, 0.1, 0.25, 0.4, 0.75, 1.0])
def test_no_distribution_in_the_ball_gives_the_policy_less(radius):
    """Against all distributions of multiples of 1/20."""
    found = [w / 4 for w in weights(radius)]
    worst = sum(q * m for q, m in zip(found, MEANS, strict=True))
    assert sum(found) == pytest.approx(1)
    assert sum(abs(q - 0.25) for q in found) / 2 <= radius + 1e-12
    for counts in itertools.product(range(21), repeat=3):
        q = [n / 20 for n in (*counts, 20 - sum(counts))]
        if q[-1] >= 0 and sum(abs(x - 0.25) for x in q) / 2 <= radius + 1e-12:
            assert sum(x * m for x, m in zip(q, MEANS, strict=True)) >= worst - 1e-12


def test_prompts_of_equal_rewards_count_alike():
    same = [answer(reward=x, group=p, **SAME) for p in range(3) for x in (-1.0, 1.0)]
    made = step(configure(ROBUST, {"radius": 0.5}), *same).value("advantage")
    assert [a[0] for a in made] == pytest.approx([-2.0, 2.0] * 3)
