"""Pareto-Optimal Learning from Preferences with Hidden Context (Boldi et al., 2024).

POPL: people who want different things compared the answers, and nobody knows who belongs together. Instead of one
reward that averages over them, a set of rewards of which each satisfies another part of the comparisons, and a policy
for each of them.

    w_k ∈ lexicase {w: wᵀ(φ(y_w) - φ(y_l)) > 0}        π_k = DPO on best and worst by w_kᵀφ

φ is the first policy's state after an answer, in its `dimensions` longest directions: few, because the search is
random. No other reward that was found satisfies all that w_k does and more. The `policies` that disagree most are saved
as policy_0, policy_1, ...; the model of the run is the fair one, which pursues the least of the standardised rewards.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from posttrain.data.dataset import Dataset
from posttrain.seeds import seed_for
from posttrain.selection import lexicase
from posttrain.selection.answers import dataset, demonstrations, different
from posttrain.selection.coordinates import principal, standardised
from posttrain.selection.pairs import pairs as paired
from posttrain.training.session import NONE, Options, Session


def popl(
    session: Session,
    pairs: Dataset,
    prompts: Dataset,
    *,
    dimensions: int = 4,
    pool: int = 100,
    generations: int = 30,
    mutation: float = 0.1,
    policies: int = 2,
    method: str = "preference/dpo",
    dpo: Options = NONE,
) -> dict[str, float]:
    """Search for rewards -> 8 answers to each prompt -> a stage of DPO with each reward, and one with the least."""
    metrics: dict[str, float] = {}
    states = torch.tensor(session.embed("compared", pairs), dtype=torch.float64)
    differences = states[0::2] - states[1::2]
    axes = principal(differences, dimensions)
    seed = seed_for(session.run.seed, "popl")
    found = lexicase.evolved(differences @ axes, pool=pool, generations=generations, mutation=mutation, seed=seed)
    wanted = lexicase.contrasting(found, differences @ axes, policies)
    session.display.note(f"{len(found)} rewards are left, {len(wanted)} are pursued")
    session.copy("policy", "reference")
    answers = different(session.collect("answers", prompts, session.how(samples=8), rewards=()))
    reached = torch.tensor(session.embed("answered", demonstrations(answers)), dtype=torch.float64) @ axes
    rewards = standardised(reached @ wanted.T)
    for k, column in enumerate([*rewards.T.tolist(), rewards.amin(1).tolist()]):
        compared = paired([replace(r, reward=x) for r, x in zip(answers, column, strict=True)])
        session.copy("reference", "policy")
        metrics = session.train(method, dataset(compared, f"answers by reward {k}"), rewards=(), **dpo)
        session.copy("policy", f"policy_{k}")
    if session.directory is not None:
        for k in range(len(wanted)):
            session.save(f"policy_{k}", session.directory.path / f"policy_{k}")
    return metrics
