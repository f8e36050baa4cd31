"""Statistics of sampled answers, under the metric names of TRL."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, pstdev

from posttrain.records import Episode


def describe(groups: Sequence[Sequence[Episode]]) -> dict[str, float]:
    """Return statistics of rewards and lengths of trained answers, grouped by prompt. Empty without answers.

    The length is that of what a model wrote. An answer that an environment could not judge (`error`) does not count.
    """
    groups = [[r for r in group if not r.error] for group in groups]
    rollouts = [r for group in groups for r in group]
    if not rollouts:
        return {}
    lengths = [written(r) for r in rollouts]
    ended = [written(r) for r in rollouts if r.ended]
    metrics = {
        "completions/mean_length": fmean(lengths),
        "completions/min_length": float(min(lengths)),
        "completions/max_length": float(max(lengths)),
        "completions/clipped_ratio": 1 - len(ended) / len(rollouts),
    }
    if ended:
        metrics["completions/mean_terminated_length"] = fmean(ended)
    rewards = [[r.reward for r in group if r.reward is not None] for group in groups]
    scored = [x for group in rewards for x in group]
    if scored:
        spreads = [pstdev(group) for group in rewards if group]
        metrics |= {
            "reward": fmean(scored),
            "reward_std": fmean(spreads),
            "frac_reward_zero_std": sum(s < 1e-12 for s in spreads) / len(spreads),
        }
    return metrics


def written(rollout: Episode) -> int:
    """Count the tokens that a model wrote."""
    return sum(len(s.tokens) for s in rollout.segments if s.logp is not None)


def staleness(rollouts: Sequence[Episode], steps: int) -> dict[str, float]:
    """Return by how many training steps the weights that drew the tokens are older than those after `steps`."""
    ages = [steps - version for r in rollouts for version in r.versions]
    if not ages:
        return {}
    return {"async/off_policy_steps": fmean(ages), "async/off_policy_steps_max": float(max(ages))}
