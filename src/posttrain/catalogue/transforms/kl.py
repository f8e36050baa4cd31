"""The KL to the reference, wherever one wants it: `method: {path: online/ppo, kl_in_reward: none, kl_in_loss: k3}`.

Papers and libraries put the KL into the reward or into the loss, and estimate it in different ways under the same name
of a method. These settings change where it stands and how it is estimated, and nothing else. The new term or part has
the usual settings: `kl.weight` in the loss, `kl_weight` in the reward.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from posttrain.core.method import TOKEN_MEAN, Method, Term, variant, without
from posttrain.core.parts import Function, Part, PartError, part
from posttrain.errors import suggestion
from posttrain.formulas.credit import redistribution, shaping
from posttrain.formulas.losses import penalties

OFF, SLOT, WEIGHT = "none", "kl", 0.05
REWARDS = ("reward", "dense_reward")
IN_LOSS: dict[str, Function] = {
    "k1": penalties.kl_k1,
    "k2": penalties.kl_k2,
    "k3": penalties.kl_k3,
    "k3_corrected": penalties.kl_k3_corrected,
    "k1+": penalties.kl_k1_straight,
    "k3+": penalties.kl_k3_straight,
}
IN_REWARD: dict[str, Function | None] = {"k1": None, "k2": shaping.logp_by_k2, "k3": shaping.logp_by_k3}
# What shapes a reward with the KL, and what it is without it: a part, or the tensor that it shapes.
SHAPED: dict[Function, Function | str] = {
    shaping.reward_minus_fixed_kl: shaping.terminal,
    shaping.row_reward_minus_kl: "reward",
    shaping.dense_reward_minus_kl: shaping.dense_reward_alone,
    redistribution.minus_kl: "dense",
}


def kl_in_loss(method: Method, estimator: Any) -> Method:
    """Return the method with a term `kl` of this estimator in the loss, in place of the one it has, or without it."""
    sampled = {slot: t for slot, t in method.loss.items() if method.streams[t.over].records == "prompts"}
    if not sampled:
        raise PartError(f"method.kl_in_loss: {method.name} samples no answers, and the KL is estimated on sampled ones")
    old = method.loss.get(SLOT)
    if old is not None and old.part.fn not in IN_LOSS.values():
        raise PartError(f"method.kl_in_loss: the term {SLOT} of {method.name} is something else: {old.part.summary}")
    if estimator == OFF:
        return variant(method, loss=without(method.loss, SLOT))
    estimate = part(_chosen(IN_LOSS, estimator, "kl_in_loss"))
    if old is None:
        credited = [t for t in sampled.values() if "advantage" in t.part.needs and t.part.axes == "T"]
        beside = (credited or list(sampled.values()))[0]
        old = Term(estimate, WEIGHT, beside.reduction if credited else TOKEN_MEAN, beside.over)
    metrics = {SLOT: Term(penalties.kl_k3, reduce=TOKEN_MEAN, over=old.over)} | dict(method.metrics)
    return variant(method, loss=method.loss | {SLOT: replace(old, part=estimate)}, metrics=metrics)


def kl_in_reward(method: Method, estimator: Any) -> Method:
    """Return the method with the KL of this estimator in its reward, in place of the one it has, or without it."""
    held = [p for d in method.derived.values() for p in d.part.walk()]
    if any(p.fn in (shaping.reward_minus_kl, shaping.minus_kl) for p in held):
        raise PartError(f"method.kl_in_reward: {method.name} makes a tensor of the KL or its weight; take online/ppo")
    shaped = any(p.fn in SHAPED for p in held)
    if estimator == OFF:
        return _derived(method, _plain)
    shift = _chosen(IN_REWARD, estimator, "kl_in_reward")
    if not shaped:
        method = _derived(method, _at_tokens if any(p.fn is shaping.terminal for p in held) else _at_rows)
        if not any(p.fn in SHAPED for d in method.derived.values() for p in d.part.walk()):
            raise PartError(f"method.kl_in_reward: {method.name} reads no reward of sampled answers")
    return method if shift is None else _derived(method, lambda old: _estimated(old, part(shift)))


def _chosen(choices: dict[str, Any], name: Any, key: str) -> Any:
    if name not in choices:
        known = ", ".join([OFF, *choices])
        raise PartError(f"method.{key}: no estimator {name!r}{suggestion(str(name), choices)}; there are {known}")
    return choices[name]


def _derived(method: Method, change: Callable[[Part], Part | str]) -> Method:
    """The method with every part of its derived tensors changed, the inner parts first."""

    def changed(old: Part) -> Part | str:
        binds = tuple((n, changed(b) if isinstance(b, Part) else b) for n, b in old.binds)
        return change(Part(old.fn, binds, old.settings))

    made = {k: (d, changed(d.part)) for k, d in method.derived.items()}
    return variant(method, derived={k: replace(d, part=p) for k, (d, p) in made.items() if isinstance(p, Part)})


def _plain(old: Part) -> Part | str:
    """What a part shapes, without the KL."""
    if old.fn not in SHAPED:
        return old
    given, bare = dict(old.binds), SHAPED[old.fn]
    return given[bare] if isinstance(bare, str) else part(bare, **{n: b for n, b in given.items() if n in REWARDS})


def _at_tokens(old: Part) -> Part:
    """The part with the KL of each token beside the reward that it places at the last one."""
    if old.fn is not shaping.terminal:
        return old
    return part(shaping.reward_minus_fixed_kl, reward=dict(old.binds)["reward"], kl_weight=WEIGHT)


def _at_rows(old: Part) -> Part:
    """The part with the KL of the whole answer in each reward that it reads."""
    whole = part(shaping.row_reward_minus_kl, kl_weight=WEIGHT)
    return Part(old.fn, tuple((n, whole if b == "reward" else b) for n, b in old.binds), old.settings)


def _estimated(old: Part, shift: Part) -> Part:
    """The part with another estimate in place of log π_old - log π_ref."""
    if old.fn not in SHAPED:
        return old
    return Part(old.fn, tuple((n, shift if b == "old_logp" else b) for n, b in old.binds), old.settings)
