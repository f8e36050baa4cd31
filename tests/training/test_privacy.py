"""The ledger of a private run."""

import pytest

from posttrain.config.sections.privacy import Privacy
from posttrain.core.maths.privacy import epsilon, rdp
from posttrain.errors import ConfigError
from posttrain.training.privacy import Ledger

TERMS = {"records": 1000, "per_step": 20, "steps": 50}


def paid(ledger, steps):
    for _ in range(steps):
        ledger.pay()
    return ledger


def test_it_adds_up_what_the_steps_spend():
    ledger = paid(Ledger.of(Privacy(noise=1.5, delta=1e-5), **TERMS), 7)
    expected = epsilon([7 * x for x in rdp(0.02, 1.5)], 1e-5)
    assert ledger.metrics()["privacy/epsilon"] == pytest.approx(expected)
    assert ledger.facts() == {"delta": 1e-5, "noise": 1.5, "share_per_step": 0.02, "epsilon": pytest.approx(expected)}


def test_a_budget_lasts_for_the_steps_of_the_run_and_no_longer():
    ledger = paid(Ledger.of(Privacy(epsilon=2.0), **TERMS), 49)
    assert not ledger.exhausted
    assert 1.99 < paid(ledger, 1).metrics()["privacy/epsilon"] <= 2.0
    assert ledger.exhausted


def test_a_resumed_run_continues_with_the_noise_that_it_began_with():
    ledger = paid(Ledger.of(Privacy(epsilon=2.0), **TERMS), 20)
    again = Ledger.of(Privacy(epsilon=2.0), **{**TERMS, "steps": 500})
    assert again.noise > ledger.noise
    again.restore(ledger.state())
    assert (again.noise, again.metrics()) == (ledger.noise, ledger.metrics())


def test_delta_is_one_over_the_records_and_no_noise_is_no_privacy():
    ledger = paid(Ledger.of(Privacy(noise=0.0), **TERMS), 3)
    assert ledger.delta == 1e-3
    assert ledger.metrics() == {}
    assert "epsilon" not in ledger.facts()
    assert not ledger.exhausted


def test_a_budget_that_no_noise_keeps_is_an_error():
    with pytest.raises(ConfigError, match=r"train.privacy: no noise below .* in 1000000 steps; raise epsilon"):
        Ledger.of(Privacy(epsilon=1e-6, delta=1e-12), records=10, per_step=10, steps=10**6)


def test_more_records_a_step_than_there_are_draw_everybody():
    assert Ledger.of(Privacy(noise=1.0), records=5, per_step=20, steps=1).rate == 1.0
