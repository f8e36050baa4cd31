"""Copies of models. Those with adapters share the weights that are never trained: one trunk, and for each role its own
adapters and heads (Hydra; Santacroce et al., 2023).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, cast

from torch import nn

from posttrain.core.plan import Plan
from posttrain.errors import ConfigError
from posttrain.models.adapters import adapted, trained_parameters
from posttrain.models.network import Network
from posttrain.models.without_adapters import WithoutAdapters

# The roles whose weights a role without a model of its own starts from: the first of them that the run has.
ANCESTORS = {
    **dict.fromkeys(("reference", "guide", "sft"), ("policy",)),
    **dict.fromkeys(("critic", "guide_critic"), ("reward", "policy")),
    "cost_critic": ("cost", "policy"),
}
EARLIER = ("reference", "guide")  # the policy as it was before the first step


def ancestor_of(plan: Plan, role: str, models: Mapping[str, Any]) -> str:
    """Return the role that a role without a model descends from. Raises ConfigError if the run has none."""
    for ancestor in ANCESTORS.get(role, ("policy",) if role in plan.trained else ()):
        if ancestor in models:
            return ancestor
    if role == "reward":
        remedy = "give `rewards: [...]`, or a reward model: `models: {reward: FOLDER}`"
    else:
        remedy = f"give `models: {{{role}: FOLDER}}`"
    raise ConfigError(f"{plan.method.name} reads the model {role!r} and the run has none: {remedy}")


def descendant(module: nn.Module, role: str) -> nn.Module:
    """Return the model of a role that starts as `module`. A reference or guide is the model with its adapters off."""
    if role in EARLIER and adapted(module):
        return WithoutAdapters(cast(Network, module))
    return twin(module).requires_grad_(role not in EARLIER)


def twin(module: nn.Module) -> nn.Module:
    """Return a copy with weights of its own, but for those that adapters leave frozen, which both have."""
    return copy.deepcopy(module, {id(p): p for p in frozen(module).values()})


def frozen(module: nn.Module) -> dict[str, nn.Parameter]:
    """The weights of a model with adapters that are never trained, by name; none of a model without."""
    if not adapted(module):
        return {}
    trained = trained_parameters(module)
    return {n: p for n, p in module.named_parameters() if n not in trained}


def apart(module: nn.Module, other: nn.Module) -> nn.Module:
    """Return the module with a trunk of its own unless it has that of `other`, so that it can be moved towards it."""
    own, others = frozen(module), frozen(other)
    return module if all(p is others.get(n) for n, p in own.items()) else copy.deepcopy(module)
