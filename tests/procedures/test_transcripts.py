"""Every procedure does what its scenarios say, verb by verb."""

import pytest

from posttrain.catalogue import index as catalogue
from tests.procedures.transcripts import SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_procedure_does_what_its_scenario_says(scenario):
    scenario.check()


def test_every_procedure_has_a_scenario():
    assert {s.path for s in SCENARIOS} == set(catalogue.procedures())
