"""Ties in the likelihood."""

import pytest

from tests.methods.reward.pairs import on, plain


@pytest.mark.parametrize("gap", [-2.0, 0.0, 0.4])
@pytest.mark.parametrize("theta", [1.1, 2.0])
def test_the_three_probabilities_sum_to_one(gap, theta):
    from math import exp

    loss = {
        (g, t): on("reward/ties", [g], {"theta": theta}, tie=t).metrics["loss"] for g in (gap, -gap) for t in (0.0, 1.0)
    }
    assert exp(-loss[gap, 0.0]) + exp(-loss[-gap, 0.0]) + exp(-loss[gap, 1.0]) == pytest.approx(1, abs=1e-12)


def test_a_tie_is_most_likely_between_equals_and_a_preference_has_a_margin():
    from math import exp, log

    tie = [on("reward/ties", [g], tie=1.0).metrics["loss"] for g in (-1.0, 0.0, 1.0)]
    assert tie[1] < tie[0] == pytest.approx(tie[2], abs=1e-14)
    assert exp(-tie[1]) == pytest.approx(0.2, abs=1e-12)
    assert on("reward/ties", [1.0], tie=0.0).metrics["loss"] == pytest.approx(plain(1.0 - log(1.5)), abs=1e-14)
