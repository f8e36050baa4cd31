"""Language Agents with Reinforcement Learning for Strategic Play in the Werewolf Game (Xu et al., 2023).

The policy proposes different moves, and a small chooser on its states picks among them. What a language model does by
itself is predictable; the chooser learns by playing against a population: the model's own moves, all earlier choosers,
and itself.

    π(i) ∝ exp(q·k_i),  q = Q mean_j e_j + b,  k_i = K e_i;    max_π Σ_i π(i) Σ_j P(i beats j) p(j) + c H(π)

e_i is the policy's state after candidate i, so the order of the candidates does not matter. p mixes the chooser and the
population. Every two candidates are compared once by the rewards of the run file, which must be a preference, as for
online/nash_md; all candidates are learned from, where the paper runs PPO on one. The game is one move of two equal
players at each prompt, where the paper's is long. The policy then learns what the chooser picks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from posttrain.core.batch import keyed_uniform
from posttrain.data.collate import groups
from posttrain.data.dataset import Dataset
from posttrain.errors import DataError
from posttrain.procedures.judging import with_opponent
from posttrain.records import Episode
from posttrain.selection.answers import dataset, demonstrations, different
from posttrain.selection.candidates import Chooser, Offer, Policy, choices, exploitability, self_play
from posttrain.selection.pairs import all_pairs
from posttrain.training.session import NO_OPTIONS, Options, Session


def werewolf(
    session: Session,
    prompts: Dataset,
    *,
    samples: int = 16,
    candidates: int = 3,
    generations: int = 60,
    current: float = 0.2,
    entropy: float = 0.1,
    steps: int = 5,
    rate: float = 2.0,
    width: int = 16,
    sft: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Proposals -> which of them beats which? -> the chooser against the population -> SFT on what it picks.

    Settings:
        samples: moves that are drawn at each prompt; at least 2, enough for rare ones to occur.
        candidates: different moves among which the chooser picks; at least 1, where 1 is the language model alone.
        generations: choosers of the population; at least 1.
        current: share of the games against the chooser itself, the others are against the population; 0 to 1.
        entropy: c, price of being predictable; above 0, 0.1 converges, less circles.
        steps: gradient steps of the chooser in each generation; at least 1.
        rate: step size of the chooser; above 0, 0.5 to 5.
        width: number of queries and keys; at least 1, 16 is enough for few candidates.
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
    """
    drawn = session.collect("moves", prompts, session.sampling(samples=samples), rewards=())
    offered, offers = offers_of(session, drawn, candidates)
    start = Chooser.fresh(width, offers[0].states.shape[1], session.seed("chooser"))
    chooser = self_play(
        start, offers, generations=generations, current=current, steps=steps, rate=rate, entropy=entropy
    )
    policy = choices(chooser, offers)
    found = {"before": exploitability(offers, [o.own for o in offers]), "after": exploitability(offers, policy)}
    session.artefact("werewolf", found)
    picked = picks(session, offered, policy)
    return {**session.train("imitation/sft", dataset(demonstrations(picked), "picked"), rewards=(), **sft), **found}


def offers_of(session: Session, drawn: Sequence[Episode], count: int) -> tuple[list[list[Episode]], list[Offer]]:
    """Return the different moves at each prompt and what the chooser knows of them, without those not all compared.

    Raises DataError if nothing is left.
    """
    moves = different(drawn, count)
    states = iter(session.embed("states", demonstrations(moves)))
    pairs = all_pairs(moves)
    asked = [(x, y) for i, j in pairs for x, y in ((i, j), (j, i))]
    judged = iter(session.score_again("wins", [with_opponent(moves[x], moves[y]) for x, y in asked]))
    said = [(e.prompt.id, e.text) for e in drawn]
    kept: list[list[Episode]] = []
    offers: list[Offer] = []
    for group in groups(moves):
        state = torch.tensor([next(states) for _ in group], dtype=torch.float64)
        wins = table(len(group), judged)
        if wins is not None:
            own = torch.tensor([said.count((e.prompt.id, e.text)) for e in group], dtype=torch.float64)
            kept.append(group)
            offers.append(Offer(state / state.norm(dim=1, keepdim=True), wins, own / own.sum()))
    if not kept:
        raise DataError("werewolf: no two moves could be compared; look at what the rewards say of samples")
    return kept, offers


def table(count: int, judged: Iterator[Episode]) -> torch.Tensor | None:
    """Return how often each of the moves beats each other one, judged in both orders; None if a judgement failed.

    `judged` yields the two judgements of each pair, in the order of `all_pairs`.
    """
    wins = torch.full((count, count), 0.5, dtype=torch.float64)
    whole = True
    for i in range(count):
        for j in range(i + 1, count):
            there, back = next(judged).reward, next(judged).reward
            if there is None or back is None:
                whole = False
                continue
            wins[i, j] = (there + 1 - back) / 2
            wins[j, i] = 1 - wins[i, j]
    return wins if whole else None


def picks(session: Session, offered: Sequence[Sequence[Episode]], policy: Policy) -> list[Episode]:
    """Return one move of each prompt, drawn by the policy; its prompt and the seed of the run choose it."""
    lots = keyed_uniform(session.seed("pick"), torch.tensor([group[0].prompt.id for group in offered]))
    sums = [p.cumsum(0) for p in policy]
    return [group[int((x <= u * x[-1]).sum())] for group, x, u in zip(offered, sums, lots, strict=True)]
