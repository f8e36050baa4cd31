import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.online.group import flat, group

TOP, DAPO = load("online/top_entropy"), load("online/dapo")


def unsure(*rows):
    """The group of four with these entropies."""
    return [answer(**{**a.values, "entropy": list(e)}) for a, e in zip(group(), rows, strict=True)]


ENTROPIES = [[0.1, 0.9], [0.2, 0.3, 0.8, 0.4], [0.7], [0.5, 0.6, 0.05]]


def test_with_all_tokens_it_is_dapo():
    whole = configure(TOP, {"share": 1.0})
    ours, theirs = (step(m, *unsure(*ENTROPIES), max_tokens=100) for m in (whole, DAPO))
    assert ours.gradient("logp") == theirs.gradient("logp")


def test_only_the_least_certain_tokens_learn_and_the_mean_is_over_all():
    ours, theirs = (step(m, *unsure(*ENTROPIES), max_tokens=100).gradient("logp") for m in (TOP, DAPO))
    forks = [e >= 0.8 for row in ENTROPIES for e in row]
    assert flat(ours) == [g if fork else 0 for g, fork in zip(flat(theirs), forks, strict=True)]
    assert sum(forks) == 2


@pytest.mark.parametrize("factor", [0.01, 100.0])
def test_only_the_order_of_the_entropies_matters(factor):
    scaled = [[factor * e for e in row] for row in ENTROPIES]
    ours, other = (step(TOP, *unsure(*e), max_tokens=100).gradient("logp") for e in (ENTROPIES, scaled))
    assert ours == other
