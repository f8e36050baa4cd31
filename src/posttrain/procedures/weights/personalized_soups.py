"""Personalized Soups: Personalized Large Language Model Alignment via Post-hoc Parameter Merging (Jang et al., 2023).

People weigh preferences differently, and one policy for each mixture of k of them cannot be trained. Train one policy
for each preference from the same start, and average their weights for each person: no training is left to do. Also
Rewarded Soups (Ramé et al., 2023), where the averages come close to the front of policies trained on weighted rewards.

    θ_i = argmax E[r_i] - β KL(π || π_ref)        θ = Σ_i λ_i θ_i,  Σ_i λ_i = 1

A preference is a reward of the run, and in the paper also an instruction before each prompt (`instructions`). The
rewards stand for the paper's reward model, which reads that instruction. A weight of 1 gives back the policy of its
preference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from types import MappingProxyType
from typing import Any

from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError, suggestion
from posttrain.records import Episode
from posttrain.selection.answers import dataset
from posttrain.selection.prompts import part_of, preceding, prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session

NOTHING: Mapping[str, str] = MappingProxyType({})


def personalized_soups(
    session: Session,
    prompts: Dataset,
    *,
    weights: Mapping[str, float],
    instructions: Mapping[str, str] = NOTHING,
    front: tuple[Mapping[str, float], ...] = (),
    measured: int | None = 64,
    method: str = "online/rloo",
    policy: Options = NO_OPTIONS,
) -> dict[str, float]:
    """RL for each preference, from the same start -> average by the weights of a person -> measure each reward.

    Settings:
        weights: λ, any {reward: weight} with weights of 0 or more, divided by their sum; the policy ends there.
        instructions: any {reward: text} to stand before the prompts of its policy and of averages that contain it.
        front: further weights that are measured on the way; any list of the form of `weights`.
        measured: first prompts that each average is measured on; at least 1, null takes all.
        method: name of the method that trains each policy; any that learns from rewards.
        policy: options of the stage of each policy: any keys of `train`, and `settings` of its method.
    """
    check(session, weights, instructions, front)
    metrics: dict[str, float] = {}
    plain = prompts_of(prompts)
    session.copy("policy", "start")
    for name in weights:
        session.copy("start", "policy")
        own = dataset(preceding(plain, instructions.get(name, "")), f"prompts for {name}")
        metrics = session.train(method, own, rewards=only(session, name), **policy)
        session.copy("policy", f"for_{name}")
    for number, person in enumerate((*front, weights)):
        shares = [person.get(name, 0.0) / sum(person.values()) for name in weights]
        session.merge([f"for_{name}" for name in weights], "policy", weights=shares)
        told = "".join(instructions.get(name, "") for name, share in zip(weights, shares, strict=True) if share > 0)
        asked = preceding(part_of(plain, 0, measured), told)
        answers = session.collect(f"soup-{number}", asked, session.sampling())
        metrics |= {f"soup-{number}/{name}": mean(answers, name) for name in weights}
    return metrics


def only(session: Session, name: str) -> tuple[Any, ...]:
    """Return the rewards of the run, of which one counts and the others watch."""
    return tuple(replace(r, weight=float(r.name == name)) for r in session.rewards())


def mean(answers: Sequence[Episode], name: str) -> float:
    """Return the mean of one reward over the answers that have it; 0 if none has."""
    return fmean([x for a in answers if (x := a.rewards.get(name)) is not None] or [0.0])


def check(
    session: Session,
    weights: Mapping[str, float],
    instructions: Mapping[str, str],
    front: Sequence[Mapping[str, float]],
) -> None:
    """Raise ConfigError for preferences without a reward, and for weights that are none."""
    known = [r.name for r in session.rewards()]
    for name in weights:
        if name not in known:
            raise ConfigError(
                f"personalized_soups: weights name {name!r}, which is no reward of the run{suggestion(name, known)}; "
                f"rewards {', '.join(known) or 'none'}"
            )
    for given in (*front, instructions):
        if odd := sorted(set(given) - set(weights)):
            raise ConfigError(f"personalized_soups: {odd[0]!r} has no policy; add it to weights, with 0 if need be")
    for person in (weights, *front):
        if min(person.values(), default=0.0) < 0 or sum(person.values()) <= 0:
            raise ConfigError(f"personalized_soups: weights {person} must be 0 or more, and one of them above 0")
