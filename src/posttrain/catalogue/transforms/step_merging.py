"""Steps of the policy that are merged with what tuning had changed: `step_merging: {rule: dare, weight: 1.0e-6}`.

Online Merging Optimizers for Boosting Rewards and Mitigating Tax in Alignment (Lu et al., 2024), for any method that
trains the policy. With τ = θ_sft - θ_base and the step d of AdamW

    OnDARE    θ ← θ + α F(τ) + (1-α) F(d)              F keeps a random share p of the entries, times 1/p
    OnTIES    the same where the signs of F(τ) and F(d) agree with that of their sum; F keeps the largest share p

F(τ) is drawn once, F(d) in every step. α = 0 merges nothing and is the method itself. `models: {base: FOLDER}` names
the base; `tuned` is the policy as the run began, or the role that the setting names.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from posttrain.core.method import Method, variant
from posttrain.core.parts import PartError
from posttrain.core.weights import StepMerging
from posttrain.errors import suggestion

NAME, POLICY = "step_merging", "policy"
KEYS = ("rule", "weight", "density", "tuned", "base")


def with_merged_steps(method: Method, path: str, value: Any) -> Method:
    """Return the method with one setting of its merged steps changed: `step_merging.weight`, or the rule alone.

    Raises PartError for a setting that does not exist, or a value that cannot be.
    """
    key = path.partition(".")[2] or "rule"
    if key not in KEYS:
        raise PartError(f"method.{path}: merged steps have no setting {key!r}{suggestion(key, KEYS)}; there are {KEYS}")
    own = method.merged_steps.get(POLICY, StepMerging())
    if key in ("rule", "tuned", "base"):
        if not isinstance(value, str) or (key == "rule" and value not in ("dare", "ties")):
            raise PartError(f"method.{path} must be {'dare or ties' if key == 'rule' else 'a role'}, not {value!r}")
    elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise PartError(f"method.{path} must be a number from 0 to 1, not {value!r}")
    elif key == "density" and value == 0:
        raise PartError("method.step_merging.density must be above 0: nothing would be left of a step")
    return variant(method, merged_steps=method.merged_steps | {POLICY: replace(own, **{key: value})})
