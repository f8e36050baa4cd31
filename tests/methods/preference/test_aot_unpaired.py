import itertools
import math

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.formulas.losses.transport import sorted_logistic
from tests.methods.preference.pair import on_pair, on_pairs

AOT, DPO = load("preference/aot_unpaired"), load("preference/dpo")
GOOD, BAD = [1.0, -2.0, 0.5], [0.0, 1.5, -1.0]


def on(method, good, bad):
    return on_pairs(method, list(zip(good, bad, strict=True)))


def test_it_is_the_cheapest_of_all_ways_to_pair_good_and_bad_answers():
    every = [on(DPO, GOOD, order).metrics["loss"] for order in itertools.permutations(BAD)]
    for order in itertools.permutations(BAD):
        assert on(AOT, GOOD, order).metrics["loss"] == pytest.approx(min(every), abs=1e-14)
    assert min(every) < max(every) - 1e-3


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_one_pair_is_dpo(smoothing):
    aot, dpo = (on_pair(configure(m, {"smoothing": smoothing})) for m in (AOT, DPO))
    assert aot.metrics == pytest.approx(dpo.metrics, abs=1e-14)
    assert aot.gradient("logp")[1] == pytest.approx(dpo.gradient("logp")[1], abs=1e-14)


def test_where_every_answer_is_good_as_often_as_bad_nothing_is_taught():
    """A cycle of preferences, whatever the policy thinks of the three answers."""
    one = on(AOT, [1.0, -2.0, 0.5], [-2.0, 0.5, 1.0])
    assert one.metrics["loss"] == pytest.approx(math.log(2))
    of_good, of_bad = (one.gradient("logp")[side::2] for side in (0, 1))
    assert [g[0] for g in of_good] == pytest.approx([-0.05 / 3] * 3)
    assert [g[0] for g in of_bad] == pytest.approx([0.05 / 3] * 3)


def test_no_pair_is_no_loss():
    assert sorted_logistic(torch.zeros(0), torch.zeros(0)).item() == 0
