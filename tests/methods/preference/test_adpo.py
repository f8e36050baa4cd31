"""ADPO: the segments that a reward model finds decisive, and no others."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.preference.pair import CHOSEN, REJECTED, also

pytestmark = pytest.mark.paper("tan2025lk0")

ADPO, AMA, DPO = (load(f"preference/{name}") for name in ("adpo", "ama", "dpo"))


def scored(chosen, rejected, **settings):
    rows = also(CHOSEN, prefix_reward=chosen), also(REJECTED, prefix_reward=rejected)
    return step(configure(ADPO, {"segment": 2, **settings}), *rows, pairs=[(0, 1)])


UP, DOWN = [1.0, 2.0, 3.0, 4.0, 5.0], [-1.0, -2.0, -3.0, -4.0]


def test_where_every_segment_decides_it_is_dpo():
    plain = step(DPO, CHOSEN, REJECTED, pairs=[(0, 1)])
    assert scored(UP, DOWN).metrics["loss"] == pytest.approx(plain.metrics["loss"], abs=1e-14)
    assert scored(UP, DOWN).gradient("logp") == plain.gradient("logp")


def test_it_is_ama_with_the_marks_that_the_reward_model_makes():
    """Gains of the preferred answer 1, -1, 2 over pairs of tokens; of the rejected one -2 and 1."""
    one = scored([0.5, 1.0, 5.0, 0.0, 2.0], [9.0, -2.0, 0.0, -1.0])
    rows = also(CHOSEN, relevance=[1, 1, 0, 0, 1]), also(REJECTED, relevance=[1, 1, 0, 0])
    other = step(AMA, *rows, pairs=[(0, 1)])
    assert one.metrics["loss"] == pytest.approx(other.metrics["loss"], abs=1e-14)
    assert one.gradient("logp") == other.gradient("logp")


def test_without_a_decisive_segment_there_is_no_gradient():
    assert scored(DOWN + [-5.0], [1.0, 2.0, 3.0, 4.0]).gradient("logp") == [[0.0] * 5, [0.0] * 4]
    assert scored(UP, DOWN, threshold=9.0).gradient("logp") == [[0.0] * 5, [0.0] * 4]
