"""ReaL: Efficient RLHF Training of Large Language Models with Parameter Reallocation (Mei et al., 2024): its search.

Plans are searched by Markov chain Monte Carlo: one call gets another mesh, and the new plan is taken with probability

    min(1, exp(-β (T' - T) / T_0))

T: seconds of a step, T_0: those of the plan that the chain begins with. Plans that do not fit into memory are rejected.
The best plan that was seen is returned.
"""

from __future__ import annotations

import itertools
import math
from random import Random

from posttrain.backends.plans.cost import Mesh
from posttrain.backends.plans.execution import ExecutionPlan, Problem
from posttrain.errors import ConfigError


def searched(problem: Problem, *, seed: int, tries: int = 2000, beta: float = 20.0) -> ExecutionPlan:
    """Search for the fastest plan that fits. Raises ConfigError where none of one mesh for all calls fits."""
    chance, meshes = Random(seed), problem.meshes()  # noqa: S311 -- a search, not a secret
    now = best = colocated(problem, meshes)
    start = now.seconds
    for _ in range(tries):
        call = chance.choice(problem.calls)
        new = ExecutionPlan(problem, {**now.meshes, call.name: chance.choice(meshes)})
        if not new.fits:
            continue
        if chance.random() < math.exp(min(0.0, -beta * (new.seconds - now.seconds) / start)):
            now = new
        if new.seconds < best.seconds:
            best = new
    return best


def colocated(problem: Problem, meshes: list[Mesh]) -> ExecutionPlan:
    """The fastest plan in which all calls share one mesh of all devices. Raises ConfigError where none fits."""
    whole = [m for m in meshes if m.count == max(other.count for other in meshes)]
    plans = [ExecutionPlan(problem, {call.name: mesh for call in problem.calls}) for mesh in whole]
    best = min(plans, key=lambda plan: (plan.cost, max(plan.memory.values())))
    if not best.fits:
        raise ConfigError(
            "no plan of one mesh for all calls fits, and the search begins with one: a device would need "
            f"{max(best.memory.values()):.1f} GB of {problem.cluster.memory:g}; add hosts, or train adapters "
            "(model.lora)"
        )
    return best


def best_of_all(problem: Problem) -> ExecutionPlan:
    """The fastest plan that fits, of every plan that there is. For small problems."""
    names, meshes = [call.name for call in problem.calls], problem.meshes()
    plans = (
        ExecutionPlan(problem, dict(zip(names, chosen, strict=True)))
        for chosen in itertools.product(meshes, repeat=len(names))
    )
    return min(plans, key=lambda plan: plan.cost)
