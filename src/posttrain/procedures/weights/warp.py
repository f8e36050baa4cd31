"""WARP: On the Benefits of Weight Averaged Rewarded Policies (Ramé et al., 2024).

Three averages of weights in place of one compromise between reward and KL. A moving average of each policy is the
reference that holds it, the policies of one round are merged on the sphere, and the next round starts part of the way
to the result.

    θ_m: reward - β KL(π_θ || π_ema),  θ_ema ← (1-μ) θ_ema + μ θ        θ_slerp = θ_0 + slerp(θ_1 - θ_0, ..., θ_M - θ_0)
    θ_0 ← (1-η) θ_0 + η θ_slerp

The last round ends at θ_slerp. Between the model of the start and θ_slerp lies the front of reward against KL: `front`
names points on it, `last` the one where the policy ends, and the reward of each is measured.
"""

from __future__ import annotations

from statistics import fmean

from posttrain.data.dataset import Dataset
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def warp(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 2,
    members: int = 2,
    mu: float = 0.01,
    eta: float = 0.3,
    rule: str = "slerp",
    front: tuple[float, ...] = (),
    last: float = 1.0,
    measured: int | None = 64,
    method: str = "online/rloo",
    policy: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: RL of each member, held by its own average -> merge -> start part of the way to the result.

    Settings:
        rounds: number of rounds (I in the paper); at least 1, 2 to 5 is usual.
        members: policies of a round (M); at least 1, which merges nothing.
        mu: μ, share of the way to its policy that a reference moves after each step; 0 (it stays) to 1 (no KL).
        eta: η, share of the way to the merged policy where the next round starts; above 0 up to 1.
        rule: name of the rule of merging; slerp or linear, or any other of models/merging/rules.
        front: shares of the way from the first model to the last merged one that are measured; any of 0 to 1.
        last: share of that way where the policy ends; 0 to 1, less keeps more of the first model.
        measured: first prompts that each point is measured on; at least 1, null takes all.
        method: name of the method that trains each policy; any that learns from rewards and reads the reference.
        policy: options of the stage of each policy: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    settings = {"moving_reference": mu, **policy.get("settings", {})}
    names = [f"member_{m}" for m in range(members)]
    session.copy("policy", "first")
    session.copy("policy", "start")
    for _ in range(rounds):
        for name in names:
            session.copy("start", "policy")
            metrics = session.train(method, prompts, **{**policy, "settings": settings})
            session.copy("policy", name)
        session.merge(names, "merged", rule, base="start")
        session.copy("merged", "start", eta)
    for share in (*(x for x in front if x != last), last):
        session.merge(["merged"], "policy", base="first", share=share)
        answers = session.collect(f"front-{share:g}", part_of(prompts, 0, measured), session.sampling())
        metrics |= {f"front/{share:g}/reward": fmean(r.reward or 0.0 for r in answers)}
    return metrics
