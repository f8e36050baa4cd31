"""Correction for answers that an older policy sampled: the loss of each token is weighted by an importance ratio.

With `train.async_steps` or `sampling.spare_prompts` the answers come from older weights. The ratio of the method
compares the policy with itself before the batch (π_old); the weight π_old / π_rollout corrects for their age, as in
decoupled PPO (Hilton et al., 2022; AReaL, Fu et al., 2025). Any method takes any of these weights; tokens of weight 0
still count in the means.
"""

from __future__ import annotations

from dataclasses import replace

from posttrain.core.method import TOKEN_MEAN, Method, Term, variant
from posttrain.core.parts import Function, part
from posttrain.errors import ConfigError
from posttrain.formulas.losses import off_policy
from posttrain.formulas.losses.penalties import sampler_gap

WEIGHTS: dict[str, Function] = {
    "tis": off_policy.truncated_importance,
    "icepop": off_policy.banded_importance,
    "sequence_tis": off_policy.sequence_truncated_importance,
    "sequence_mis": off_policy.sequence_banded_importance,
    "geometric_mask": off_policy.geometric_band,
    "opsm": off_policy.off_policy_sequence_mask,
}


def corrected(method: Method, kind: str | None, *, older: bool) -> Method:
    """Return the method with weights in every per-token loss that reads the advantage of sampled answers.

    `kind` None: truncated weights if `older` (answers may come from older weights or another engine) and there is such
    a loss. Raises
    ConfigError for a kind that is given for a method without such a loss.
    """
    credited = {slot: term for slot, term in method.loss.items() if _credited(method, term)}
    kind = kind or ("tis" if older and credited else "none")
    if kind == "none" or not any(s.records == "prompts" for s in method.streams.values()):
        return method
    weight = part(WEIGHTS[kind])
    if not credited:
        raise ConfigError(
            f"train.rollout_correction={kind}: {method.name} has no loss per token that reads an advantage of sampled "
            "answers, so there is nothing to weight; set it to none"
        )
    changed = {s: replace(t, part=part(off_policy.weighed, loss=t.part, weight=weight)) for s, t in credited.items()}
    metrics = method.metrics | {"rollout_correction/mean_weight": Term(weight, reduce=TOKEN_MEAN)}
    metrics.setdefault("sampling/logp_difference", Term(part(sampler_gap), reduce=TOKEN_MEAN))
    return variant(method, loss=method.loss | changed, metrics=metrics)


def _credited(method: Method, term: Term) -> bool:
    sampled = method.streams[term.over].records == "prompts"
    needs = term.part.needs
    return sampled and term.part.axes == "T" and "advantage" in needs and "rollout_logp" not in needs
