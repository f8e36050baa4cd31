import math

import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import answer
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair

BCO = load("preference/bco")


def test_a_constant_on_all_log_ratios_moves_only_the_threshold():
    both = (CHOSEN, REJECTED)
    longer = [answer(logp=[-1.0, *a.values["logp"]], ref_logp=[-4.0, *a.values["ref_logp"]]) for a in both]
    assert on_pair(BCO, *longer).metrics["loss"] == pytest.approx(on_pair(BCO).metrics["loss"])


def test_around_the_middle_it_is_twice_dpo_at_half_the_beta():
    assert on_pair(BCO).metrics["loss"] == pytest.approx(2 * math.log1p(math.exp(-0.1 * 0.8)))
