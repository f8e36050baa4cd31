import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pair_targets import squared
from posttrain.formulas.losses.scores import log_ratio
from tests.harness.numbers import answer
from tests.methods.preference.pair import on_pair

pytestmark = pytest.mark.paper("001-text:IPO")

IPO = load("preference/ipo")


def test_golden_of_peers_that_sum_over_tokens():
    summed = variant(IPO, loss=Term(pairwise(squared, log_ratio, tau=0.1)))
    assert on_pair(summed).metrics["loss"] == pytest.approx(11.56, abs=1e-10)


def test_tau_is_where_the_gap_comes_to_rest():
    gap = 0.2 / 1 + 0.15  # mean log-ratios of the fixture
    assert on_pair(configure(IPO, {"tau": 1 / (2 * gap)})).metrics["loss"] == pytest.approx(0, abs=1e-20)


def test_repeating_an_answers_tokens_changes_nothing():
    once = [answer(logp=[-1.0, -2.0], ref_logp=[-1.5, -2.5]), answer(logp=[-3.0], ref_logp=[-0.5])]
    twice = [answer(**{n: v * 2 for n, v in a.values.items()}) for a in once]
    assert on_pair(IPO, *twice).metrics["loss"] == pytest.approx(on_pair(IPO, *once).metrics["loss"], abs=1e-12)
