"""GKD: on the student's answers, on given ones, or on both."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.golden.distillation import TWO, spoken

pytestmark = pytest.mark.paper("tiapkin202538o")
GKD, ON_POLICY, SOFT = (load(f"distillation/{name}") for name in ("gkd", "on_policy", "soft_targets"))
GIVEN = spoken([0.5], [0.8])


def test_each_half_alone_is_a_method_of_its_own():
    online = configure(GKD, {"data.weight": 0.0, "student.weight": 1.0, "beta": 1.0})
    assert step(online, *TWO).metrics["loss"] == step(ON_POLICY, *TWO).metrics["loss"]
    offline = configure(GKD, {"data.weight": 1.0, "student.weight": 0.0, "beta": 0.0})
    found = step(offline, *TWO, others={"given": [GIVEN]})
    assert found.metrics["loss"] == pytest.approx(step(SOFT, GIVEN).metrics["loss"])
