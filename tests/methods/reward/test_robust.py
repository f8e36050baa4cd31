"""The worst distribution of the pairs."""

import pytest

from tests.methods.reward.pairs import on, plain

pytestmark = pytest.mark.paper("mandal2025qf5")


GAPS = [1.0, 0.2, -1.0]


def test_the_radius_leads_from_the_mean_to_the_worst_pair():
    losses = [on("reward/robust", GAPS, {"pair_weight.radius": r}).metrics["loss"] for r in (0.0, 0.2, 0.5, 1.0)]
    assert losses == sorted(losses)
    assert losses[0] == pytest.approx(plain(*GAPS), abs=1e-14)
    assert losses[-1] == pytest.approx(plain(-1.0), abs=1e-14)
