import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair

LD_DPO, DPO = load("preference/ld_dpo"), load("preference/dpo")


def test_golden():
    """The chosen answer has a fifth token: 1 - 1 + 0.5 + 0 + 0.5/4 and -0.1 + 0.9 - 1.2 - 0.2."""
    one = on_pair(configure(LD_DPO, {"beyond": 0.25}))
    z = 0.1 * (0.625 + 0.6)
    wrong = 1 / (1 + math.exp(z))
    assert one.metrics["loss"] == pytest.approx(math.log1p(math.exp(-z)), abs=1e-14)
    assert one.gradient("logp")[0] == pytest.approx([-0.1 * wrong] * 4 + [-0.025 * wrong])
    assert one.gradient("logp")[1] == pytest.approx([0.1 * wrong] * 4)
    turned = on_pair(configure(LD_DPO, {"beyond": 0.25}), REJECTED, CHOSEN)
    assert turned.metrics["loss"] == pytest.approx(math.log1p(math.exp(z)), abs=1e-14)


def test_whole_answers_are_dpo():
    whole = on_pair(configure(LD_DPO, {"beyond": 1.0}))
    assert whole.metrics == pytest.approx(on_pair(DPO).metrics, abs=1e-14)


def test_with_nothing_beyond_the_longer_answer_is_cut():
    cut = answer(**{n: v[:4] for n, v in CHOSEN.values.items()})
    assert on_pair(configure(LD_DPO, {"beyond": 0.0})).metrics["loss"] == on_pair(DPO, cut, REJECTED).metrics["loss"]
