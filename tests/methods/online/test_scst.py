import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.plan import plan
from posttrain.training.episodes import authors_of
from tests.harness.numbers import step
from tests.methods.online.group import group

pytestmark = pytest.mark.paper("001-text:SCST")

SCST, REMAX = load("online/scst"), load("online/remax")


def greedy(reward):
    return group([reward], [1], author=1, train=False)


def test_it_is_remax_without_the_kl():
    free = step(configure(REMAX, {"kl_weight": 0.0}), *group(), *greedy(0.5))
    assert step(SCST, *group(), *greedy(0.5)).gradient("logp") == free.gradient("logp")
    assert "reference" not in plan(SCST).loaded


def test_an_answer_as_good_as_the_greedy_one_teaches_nothing():
    one = step(SCST, *group([0.5, 1.0], [2, 2]), *greedy(0.5))
    assert one.gradient("logp")[0] == [0, 0]
    assert one.gradient("logp")[1] != [0, 0]


def test_the_baseline_stays_greedy_whatever_the_run_samples():
    sampled, baseline = authors_of(SCST, "main", samples=5, temperature=0.7)
    assert (sampled.samples, sampled.temperature) == (5, 0.7)
    assert (baseline.samples, baseline.temperature, baseline.train) == (1, 0.0, False)
