"""Iterative Preference Learning from Human Feedback: Bridging Theory and Practice for RLHF under KL-Constraint
(Xiong et al., 2023).

Online DPO in batches (GSHF): sample with the policy, and for exploration with an enhancer that differs from it, let the
rewards decide which answer is better, run DPO on all comparisons so far, repeat.

    π¹_t = DPO on D_off ∪ D_1:t, reference π_0        (y¹, y²) from π¹_t and an enhancer π²_t,  D_{t+1} = {y_w > y_l}

The theory's enhancer maximises the uncertainty relative to π¹_t. In practice: best against worst of several answers
(`pairing`), or answers at another temperature or of the policy of the round before (`enhancer`). The paper never
updates the reference; the authors' script does so after every round.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from posttrain.core.method import Sampling
from posttrain.data.dataset import Dataset
from posttrain.records import Record
from posttrain.selection.answers import dataset, length_penalised
from posttrain.selection.pairs import pairs as paired
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session

Rule = Literal["never", "round", "lag"] | float


def iterative_dpo(
    session: Session,
    prompts: Dataset,
    pairs: Dataset | None = None,
    *,
    rounds: int = 3,
    prompts_per_round: int | None = None,
    pairing: Literal["best_and_worst", "best_and_random", "random", "between_authors"] = "best_and_worst",
    enhancer: Literal["none", "hot", "previous"] = "none",
    heat: float = 1.3,
    margin: float = 0.0,
    length_penalty: float = 0.0,
    reference: Rule = "never",
    history: bool = True,
    method: str = "preference/dpo",
    dpo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: sample 4 answers to each prompt (and 4 of the enhancer) -> pairs by reward -> DPO.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        pairing: name of the rule for a prompt's pair: best_and_worst, best_and_random, random or between_authors.
        enhancer: name of the second sampler: none, hot (at a higher temperature) or previous (the last round's policy).
        heat: factor of the temperature of the enhancer hot; above 1.
        margin: reward by which the answers of a pair must differ more; 0 or more.
        length_penalty: reward that a token of an answer costs; 0 (nothing) or more.
        reference: name of its update after a round: never, round, lag (a round behind), or a share above 0 up to 1.
        history: true trains on the comparisons of all rounds, false on those of the last.
        method: name of the method that trains the policy; any that reads pairs, such as preference/simpo.
        dpo: options of every stage of `method`: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    session.start_reference(reference)
    if enhancer == "previous":
        session.copy("policy", "previous")
    authors = explorers(session.sampling(samples=4), enhancer, heat)
    compared: list[Record] = list(pairs or ())
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        answers = length_penalised(session.collect(f"round-{n}", asked, *authors), length_penalty)
        new = paired(answers, pairing, margin=margin)
        compared = [*compared, *new] if history else list(new)
        if enhancer == "previous":
            session.copy("policy", "previous")
        metrics = session.train(method, dataset(compared, f"round {n}"), rewards=(), **dpo)
        session.update_reference(reference)
    return metrics


def explorers(how: Sampling, enhancer: str, heat: float) -> tuple[Sampling, ...]:
    """Return the policy's sampling, and that of the enhancer so that comparisons differ enough to learn from."""
    if enhancer == "hot":
        return how, replace(how, temperature=how.temperature * heat)
    if enhancer == "previous":
        return how, replace(how, mix=(("previous", 1.0),))
    return (how,)
