"""What failures and stragglers cost, against closed forms."""

import math

import pytest

from posttrain.backends.plans.goodput import Weather, simulated, stragglers, young

pytestmark = pytest.mark.paper("000:[24]")
CALM = Weather(between_failures=1e18, restart=0.0)


def test_without_failures_the_time_is_that_of_steps_and_checkpoints():
    made = simulated(100, 40, 2.0, CALM, every=20.0, checkpoint=3.0, seed=0)
    assert made.seconds == pytest.approx(40 * 2.0 + 4 * 3.0)
    assert (made.failures, made.stragglers) == (0, ())
    assert made.goodput == pytest.approx(80 / 92)


def test_the_slowest_worker_sets_the_pace_and_is_named():
    weather = Weather(1e18, 0.0, slow=0.1, factor=2.0)
    made = simulated(50, 10, 1.0, weather, every=1e9, checkpoint=0.0, seed=3)
    assert made.seconds == pytest.approx(20.0)
    assert len(made.stragglers) == 5
    assert stragglers([1.0, 1.1, 1.3, 0.9, 1.0]) == (2,)


@pytest.mark.parametrize("workers", [10, 100])
def test_losses_follow_the_closed_form(workers):
    """A block of work w takes (e^{λ w} - 1)(1/λ + R) in the mean; λ: failures a second, R: seconds of a restart."""
    weather = Weather(between_failures=1e5, restart=60.0)
    rate, block = workers / 1e5, 205.0
    mean = (math.exp(rate * block) - 1) * (1 / rate + 60.0)
    made = simulated(workers, 20 * 4000, 10.0, weather, every=200.0, checkpoint=5.0, seed=1)
    assert made.seconds / 4000 == pytest.approx(mean, rel=0.03)


def test_more_workers_fail_more_often_and_youngs_interval_loses_the_least():
    weather = Weather(between_failures=1e6, restart=30.0)
    small, large = (simulated(n, 20000, 1.0, weather, every=100.0, checkpoint=2.0, seed=2) for n in (10, 1000))
    assert large.failures > 10 > small.failures
    assert large.goodput < small.goodput
    best = young(2.0, weather, 1000)
    assert best == pytest.approx(math.sqrt(2 * 2.0 * 1e6 / 1000))
    goodputs = {
        every: simulated(1000, 50000, 1.0, weather, every=every, checkpoint=2.0, seed=5).goodput
        for every in (best / 6, best, best * 6)
    }
    assert max(goodputs, key=goodputs.__getitem__) == best
