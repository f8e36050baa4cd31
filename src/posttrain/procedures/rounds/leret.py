"""Grounding by Trying: LLMs with Reinforcement Learning-Enhanced Retrieval (Hsu et al., 2024): LeReT.

The policy writes queries, and what they find is their reward. Several beginnings of the prompt (examples of queries)
make them differ more than sampling does; no beginning stands before what is learned. A question is asked in hops: the
next query reads what the best one found.

    r(q) = AP(documents that q finds; those that the question needs and no hop before has found)
    SFT on argmax_q r(q);    IPO: (log π(q_w)/π_ref(q_w) - log π(q_l)/π_ref(q_l) - 1/(2τ))²,    r(q_w) > r(q_l)

With one beginning and `sft: null` it is rounds of IPO. The documents are found by BM25 (environments/bm25.py); the
prompts' column `documents` says which a question needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import fmean

from posttrain.data.dataset import Dataset
from posttrain.data.generators.encyclopedia import Passage
from posttrain.environments.corpus import corpus_of
from posttrain.records import Episode, Prompt
from posttrain.selection.answers import above, best, dataset, demonstrations, reward_of, with_prompts
from posttrain.selection.pairs import pairs
from posttrain.selection.prompts import part_of, preceding, prompts_of
from posttrain.selection.queries import Find, by_retrieval, open_questions, requests
from posttrain.training.session import NO_OPTIONS, Options, Session


def leret(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 1,
    prompts_per_round: int | None = None,
    hops: int = 2,
    samples: int = 4,
    beginnings: Sequence[str] = ("",),
    request: str = "\nQuery:",
    corpus: str | None = None,
    k: int = 3,
    margin: float = 0.0,
    method: str = "preference/ipo",
    sft: Options | None = NO_OPTIONS,
    ipo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: queries in hops, with every beginning -> SFT on the best ones -> IPO on better against worse ones.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: questions of a round, taken in turn; at least 1, null takes all of them in every round.
        hops: queries one after the other for each question; at least 1, 2 or more where documents name each other.
        samples: queries to each question in a hop with each beginning; at least 1, or 2 with one beginning.
        beginnings: any texts to stand before the prompt, in turn; examples of queries in the paper, "" is none.
        request: request for a query, at the end of the question and what is known of it; any text.
        corpus: file of the documents, jsonl with title and text; null takes the encyclopedia that ships.
        k: documents that a query finds; at least 1, 3 is usual.
        margin: reward by which the queries of a pair must differ more; 0 or more.
        method: name of the method that trains the policy on pairs; preference/ipo, or any other that reads them.
        sft: options of the SFT stage, any keys of `train`; null has none.
        ipo: options of the stage on pairs: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    find = partial(corpus_of(corpus).search, k=k)
    for n in range(1, rounds + 1):
        asked = prompts_of(part_of(prompts, n - 1, prompts_per_round))
        tried = hop_by_hop(session, f"round-{n}", asked, find, hops, samples, beginnings, request)
        chosen = [q for queries in tried for q in best(queries)]
        if sft is not None:
            shown = dataset(demonstrations(above(chosen, 0.0)), f"best {n}")
            session.train("imitation/sft", shown, rewards=(), **sft)
        session.copy("policy", "reference")
        compared = dataset((p for queries in tried for p in pairs(queries, margin=margin)), f"pairs {n}")
        metrics = session.train(method, compared, rewards=(), **ipo)
        metrics = {**metrics, "best_query": fmean(map(reward_of, chosen))}
    return metrics


def hop_by_hop(
    session: Session, name: str, asked: Sequence[Prompt], find: Find, hops: int, samples: int,
    beginnings: Sequence[str], request: str,
) -> list[list[Episode]]:  # fmt: skip
    """Return the queries of each hop with their rewards; each hop goes on from what the best query before it found."""
    known: dict[int, list[Passage]] = {p.id: [] for p in asked}
    tried: list[list[Episode]] = []
    for hop in range(1, hops + 1):
        bare = requests(open_questions(asked, known), known, request)
        how = session.sampling(samples=samples)
        written = [
            q
            for i, beginning in enumerate(beginnings if bare else (), 1)
            for q in session.collect(f"{name}-hop-{hop}-{i}", preceding(bare, beginning), how, rewards=())
        ]
        tried.append(by_retrieval(with_prompts(written, bare), find, known))
        for q in best(tried[-1]):
            known[q.prompt.id] += [d for d in find(q.text) if d not in known[q.prompt.id]]
    return tried
