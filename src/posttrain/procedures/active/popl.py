"""Pareto-Optimal Learning from Preferences with Hidden Context (Boldi et al., 2024).

POPL: people who want different things compared the answers, and the groups are unknown. Instead of one reward that
averages over them, find a set of rewards that each satisfy a different part of the comparisons, and train a policy for
each of them.

    w_k ∈ lexicase {w: wᵀ(φ(y_w) - φ(y_l)) > 0}        π_k = DPO on best and worst by w_kᵀφ

φ is the first policy's hidden state after an answer, projected on its principal directions. No other reward of the
search satisfies all comparisons that w_k satisfies and more. The policies whose rewards disagree most are saved as
policy_0, policy_1, ... The model of the run is the fair one: it pursues the smallest of the standardised rewards.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from posttrain.data.dataset import Dataset
from posttrain.selection import lexicase
from posttrain.selection.answers import dataset, demonstrations, different
from posttrain.selection.coordinates import principal, standardised
from posttrain.selection.pairs import pairs as paired
from posttrain.training.session import NO_OPTIONS, Options, Session


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
    dpo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Search for rewards -> 8 answers to each prompt -> a stage of DPO with each reward, and one with the smallest.

    Settings:
        dimensions: principal directions of the hidden states; at least 1, and few, since the search is random.
        pool: rewards in a generation of the search; at least 2, 100 to 1000 is usual.
        generations: generations of the search; 0 (random rewards) or more.
        mutation: length of a mutation of a reward of length 1; above 0, 0.1 is a small step.
        policies: rewards that are pursued, and policies that are saved; at least 1.
        method: name of the method that trains the policy; any that reads pairs, such as preference/simpo.
        dpo: options of every stage of `method`: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    states = torch.tensor(session.embed("compared", pairs), dtype=torch.float64)
    differences = states[0::2] - states[1::2]
    axes = principal(differences, dimensions)
    seed = session.seed("popl")
    rewards = lexicase.evolved(differences @ axes, pool=pool, generations=generations, mutation=mutation, seed=seed)
    chosen = lexicase.contrasting(rewards, differences @ axes, policies)
    session.note(f"{len(rewards)} rewards are left, {len(chosen)} are pursued")
    session.copy("policy", "reference")
    answers = different(session.collect("answers", prompts, session.sampling(samples=8), rewards=()))
    coordinates = torch.tensor(session.embed("answered", demonstrations(answers)), dtype=torch.float64) @ axes
    scores = standardised(coordinates @ chosen.T)
    for k, column in enumerate([*scores.T.tolist(), scores.amin(1).tolist()]):
        compared = paired([replace(r, reward=x) for r, x in zip(answers, column, strict=True)])
        session.copy("reference", "policy")
        metrics = session.train(method, dataset(compared, f"answers by reward {k}"), rewards=(), **dpo)
        session.copy("policy", f"policy_{k}")
    if session.run.journal.folder is not None:
        for k in range(len(chosen)):
            session.save(f"policy_{k}", session.run.journal.folder / f"policy_{k}")
    return metrics
