import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.kinds import kind
from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.core.plan import PlanError, plan
from posttrain.formulas.losses.pair_targets import squared
from posttrain.formulas.losses.scores import log_ratio
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair

pytestmark = pytest.mark.paper("zhang2024b6u", "002:BeaverTails")

BFPO = load("preference/bfpo")


def on(chosen, rejected, **settings):
    changed = configure(BFPO, {"tau": 0.1, **settings})
    return on_pair(changed, also(CHOSEN, safe=float(chosen)), also(REJECTED, safe=float(rejected)))


def test_of_two_safe_answers_it_is_ipo_of_sums():
    summed = variant(load("preference/ipo"), loss=Term(pairwise(squared, log_ratio, tau=0.1)))
    assert on(1, 1).gradient("logp") == on_pair(summed).gradient("logp")


def test_an_unsafe_answer_loses_however_helpful():
    """s_w - s_l is 1.6: only where the preferred one is safe it is to grow."""
    assert on(1, 0).gradient("logp")[0][0] < 0 < on(0, 1).gradient("logp")[0][0]


def test_without_marks_of_safety_the_column_is_asked_for():
    with pytest.raises(PlanError, match="Add a column 'safe' to the data"):
        plan(BFPO, {"main": kind("pairs").tensors})
