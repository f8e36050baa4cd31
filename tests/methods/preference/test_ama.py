import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair

pytestmark = pytest.mark.paper("tan2025lk0")

AMA, DPO = load("preference/ama"), load("preference/dpo")


def marked(chosen, rejected, **settings):
    rows = also(CHOSEN, relevance=chosen), also(REJECTED, relevance=rejected)
    return on_pair(configure(AMA, settings), *rows)


def test_where_everything_matters_it_is_dpo():
    one = marked([1.0] * 5, [1.0] * 4)
    assert one.metrics["loss"] == pytest.approx(on_pair(DPO).metrics["loss"], abs=1e-14)
    assert one.gradient("logp") == on_pair(DPO).gradient("logp")


def test_it_is_dpo_on_the_marked_tokens_alone():
    kept = [answer(**{n: v[1:3] for n, v in a.values.items()}) for a in (CHOSEN, REJECTED)]
    one = marked([0, 1, 1, 0, 0], [0, 1, 1, 0])
    assert one.metrics["loss"] == pytest.approx(on_pair(DPO, *kept).metrics["loss"], abs=1e-14)


def test_what_is_left_out_has_exactly_no_gradient_and_may_say_anything():
    marks = [0.0, 1.0, 0.0, 1.0, 1.0]
    strange = answer(**{**CHOSEN.values, "logp": [-500.0, -3.0, -0.0, -2.5, -1.5]}, relevance=marks)
    one = on_pair(AMA, strange, also(REJECTED, relevance=[1.0] * 4))
    assert one.metrics["loss"] == marked(marks, [1.0] * 4).metrics["loss"]
    assert one.gradient("logp")[0][0] == one.gradient("logp")[0][2] == 0.0


def test_a_pair_without_marks_teaches_nothing():
    one = marked([0.0] * 5, [0.0] * 4)
    assert one.metrics["loss"] == pytest.approx(math.log(2))
    assert one.gradient("logp") == [[0.0] * 5, [0.0] * 4]
