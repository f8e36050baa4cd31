"""The gap between questions like the training and others."""

from __future__ import annotations

import pytest

from posttrain.evaluation.metrics.generalisation import fisher
from posttrain.evaluation.suites.capability.generalisation import generalisation
from tests.evaluation.scripted import answered


@pytest.mark.paper("kirk20230it")
def test_a_model_that_only_knows_what_it_was_trained_on_has_a_gap():
    suite = generalisation(size=8)
    assert len(suite.prompts) == 16
    found = answered(suite, lambda item, _: str(item["answer"]) if item["set"] == "inside" else "99999").numbers
    assert found["accuracy[set=inside]"].mean == 1.0
    assert found["accuracy.gap"].mean == 1.0
    assert found["accuracy.gap"].p_value == pytest.approx(fisher(8, 8, 0, 8)) == pytest.approx(2 / 12870)
    clean = answered(suite, lambda item, _: str(item["answer"])).numbers["accuracy.gap"]
    assert (clean.mean, clean.p_value) == (0.0, 1.0)
