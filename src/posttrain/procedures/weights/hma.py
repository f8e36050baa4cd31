"""Mitigating the Alignment Tax of RLHF (Lin et al., 2023): Heterogeneous Model Averaging.

RL forgets what the model could do before. An average with the model before keeps most of both, and layers differ in how
much of the old they need: the mean share of the old model is given, the shares of K blocks of layers are searched.

    θ_k = α_k θ_before + (1 - α_k) θ_RL      α_k = α_0 K (σ(a_k) + ε) / Σ_j (σ(a_j) + ε)      max_a reward of θ

The mean of the α_k is α_0 for every a, and equal a are plain averaging. The authors follow the gradient of the
likelihood of RL's answers in a. Here a is found by trial, one block at a time, with the reward of greedy answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean

from posttrain.core.method import Sampling
from posttrain.data.dataset import Dataset
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session

Shares = list[float]


def hma(
    session: Session,
    prompts: Dataset,
    *,
    share: float = 0.2,
    blocks: int = 3,
    floor: float = 0.2,
    sweeps: int = 2,
    measured: int | None = 64,
    method: str = "online/rloo",
    policy: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Train with RL -> try shares of the old model in blocks of layers -> keep the best by reward.

    Settings:
        share: α_0, mean share of the model before RL; 0 (RL's model) to 1, 0.2 in the paper.
        blocks: K, blocks of layers with shares of their own; at least 1, which is plain averaging; 3 in the paper.
        floor: ε, keeps shares from 0; above 0, 0.2 in the paper.
        sweeps: times that each block is tried with more and with less; 0 (plain averaging) or more.
        measured: first prompts that a try is measured on; at least 1, null takes all.
        method: name of the method that trains the policy; any that learns from rewards.
        policy: options of the stage of RL: any keys of `train`, and `settings` of its method.
    """
    session.copy("policy", "before")
    metrics = session.train(method, prompts, **policy)
    session.copy("policy", "trained")

    def value(name: str, a: Sequence[float]) -> float:
        weights = [(x, 1 - x) for x in shares(a, share, floor)]
        session.merge(["before", "trained"], "policy", blocks=weights)
        answers = session.collect(name, part_of(prompts, 0, measured), Sampling(temperature=0.0))
        return fmean(r.reward or 0.0 for r in answers)

    best = search(value, blocks, sweeps)
    found = {f"share/{k}": x for k, x in enumerate(shares(best, share, floor))}
    return {**metrics, **found, "reward": value("chosen", best)}


def shares(a: Sequence[float], mean: float, floor: float) -> Shares:
    """Return α_k: positive shares with this mean."""
    raw = [1 / (1 + math.exp(-x)) + floor for x in a]
    return [mean * len(raw) * x / sum(raw) for x in raw]


def search(value: Callable[[str, Sequence[float]], float], blocks: int, sweeps: int) -> Shares:
    """Return the best a: from 0, each block a step up and down, with steps that halve."""
    best, tries, step = [0.0] * blocks, 0, 2.0
    highest = value("try-0", best)
    for _ in range(sweeps):
        for change in [x for k in range(blocks) for x in ((k, step), (k, -step))]:
            tried = [x + change[1] * (k == change[0]) for k, x in enumerate(best)]
            tries += 1
            found = value(f"try-{tries}", tried)
            if found > highest:
                best, highest = tried, found
        step /= 2
    return best
