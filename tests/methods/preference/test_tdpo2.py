import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.methods.preference.pair import on_pair
from tests.methods.preference.test_tdpo1 import TDPO1, logits_at, on

pytestmark = pytest.mark.paper("000:[17]")

TDPO2 = load("preference/tdpo2")


def test_golden():
    one = on(TDPO2)
    assert one.metrics["loss"] == pytest.approx(0.62559518, abs=1e-8)
    table = one.gradients[0]["policy.tables.logits"]
    assert table[1].tolist() == [0.0, 0.0]
    push = 0.05 / (1 + math.exp(0.16 - 0.05 * 0.4)) * (math.exp(logits_at(0.7 / 4)[0]) - 0.5)
    assert table[7].tolist() == pytest.approx([push, -push], rel=1e-6)


def test_golden_gradient_of_the_log_probs():
    one = on(configure(TDPO2, {"beta": 0.2, "alpha": 2.0}))
    assert one.gradient("logp")[0] == pytest.approx([-0.2 * 0.4600850] * 5, rel=1e-6)  # z = 0.2 (1.6 - 0.8)


def test_with_alpha_one_it_has_the_value_of_tdpo1_and_another_gradient():
    full = on(configure(TDPO2, {"alpha": 1.0}))
    assert full.metrics["loss"] == pytest.approx(on(TDPO1).metrics["loss"], abs=1e-14)
    tables = [r.gradients[0]["policy.tables.logits"] for r in (full, on(TDPO1))]
    assert tables[0][7].tolist() == tables[1][7].tolist()
    assert tables[0][1].tolist() != tables[1][1].tolist()


def test_with_alpha_zero_it_is_dpo():
    plain = on(configure(TDPO2, {"alpha": 0.0}))
    assert plain.metrics["loss"] == pytest.approx(on_pair(load("preference/dpo")).metrics["loss"], abs=1e-14)
