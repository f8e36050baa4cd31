"""DAgger's labels: on what the policy wrote they are on-policy distillation, on what the teacher wrote cloning."""

from __future__ import annotations

import math

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.procedures.search.dagger import LABELLED
from tests.harness.numbers import step
from tests.methods.golden.distillation import TWO, spoken

ON_POLICY = load("distillation/on_policy")


@pytest.mark.paper("001-text:SEARN/DAgger")
def test_labels_on_the_policys_own_answers_are_on_policy_distillation() -> None:
    """With the forward KL, β = 0, whose gradient it has at every token that was written."""
    labelled, distilled = step(LABELLED, *TWO), step(configure(ON_POLICY, {"beta": 0.0}), *TWO)
    assert labelled.metrics["loss"] == pytest.approx(distilled.metrics["loss"])
    one, other = (torch.tensor(s.gradient("logits")) for s in (labelled, distilled))
    assert one.abs().min() > 0.01
    assert torch.allclose(one, other)


@pytest.mark.paper("001-text:SEARN/DAgger")
def test_a_label_by_hand() -> None:
    """The teacher says 0.8 against 0.2 where the policy says 0.5 against 0.5; the other direction costs otherwise."""
    found = step(LABELLED, spoken([0.5], [0.8])).metrics["loss"]
    assert found == pytest.approx(0.8 * math.log(0.8 / 0.5) + 0.2 * math.log(0.2 / 0.5))
    assert found != pytest.approx(0.5 * math.log(0.5 / 0.8) + 0.5 * math.log(0.5 / 0.2))
