import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair, shifted

NCA = load("preference/nca")


def test_at_the_reference_it_is_two_log_two_and_already_knows_the_order():
    same = [shifted(a) for a in (CHOSEN, REJECTED)]
    for a in same:
        a.values["ref_logp"][:] = a.values["logp"]
    one = on_pair(NCA, *same)
    assert one.metrics["loss"] == pytest.approx(2 * math.log(2))
    assert one.gradient("logp")[0][0] == -one.gradient("logp")[1][0] == pytest.approx(-0.025)


def test_the_preferred_answer_rests_at_twice_its_likelihood():
    """σ(r) = 2/3, r = log 2: unlike DPO, which pushes for ever."""
    rest = configure(NCA, {"beta": math.log(2)})
    assert on_pair(rest).gradient("logp")[0] == pytest.approx([0] * 5, abs=1e-15)
