"""The search finds the best plan where all plans can be listed, keeps to the memory, and depends on its seed alone."""

from dataclasses import replace

import pytest

from posttrain.backends.plans.cost import Mesh
from posttrain.backends.plans.execution import ExecutionPlan
from posttrain.backends.plans.search import best_of_all, colocated, searched
from posttrain.errors import ConfigError
from tests.backends.plans.test_execution import CLUSTER, READ, TRAIN, WRITE, problem

pytestmark = pytest.mark.paper("mei2024eqt")
STEP = (WRITE, replace(READ, after=("generate policy",)), replace(TRAIN, after=("generate policy", "read reference")))
SMALL = problem(*STEP, cluster=replace(CLUSTER, hosts=1, devices=2))


def test_it_reaches_the_optimum_of_a_space_that_can_be_listed():
    assert len(SMALL.meshes()) == 5
    best = best_of_all(SMALL)
    for seed in range(3):
        assert searched(SMALL, seed=seed, tries=400).seconds == pytest.approx(best.seconds)


def test_it_is_no_slower_than_one_mesh_for_all_calls_and_repeats_itself():
    whole = problem(*STEP)
    found = searched(whole, seed=1, tries=300)
    assert found.seconds <= colocated(whole, whole.meshes()).seconds
    assert found.fits
    assert searched(whole, seed=1, tries=300).meshes == found.meshes


def test_what_does_not_fit_is_never_returned():
    """14 GB of training state on one of two devices is too much where each has 10."""
    tight = problem(*STEP, cluster=replace(CLUSTER, hosts=1, devices=2, memory=13.0))
    alone = ExecutionPlan(tight, dict.fromkeys((call.name for call in STEP), Mesh(0, 1)))
    assert not alone.fits
    assert alone.cost == float("inf")
    assert searched(tight, seed=0, tries=200).fits
    with pytest.raises(ConfigError, match="no plan of one mesh .* a device would need .* GB of 1"):
        searched(problem(*STEP, cluster=replace(CLUSTER, memory=1.0)), seed=0)
