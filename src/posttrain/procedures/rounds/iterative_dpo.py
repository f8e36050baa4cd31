"""Iterative Preference Learning from Human Feedback: Bridging Theory and Practice for RLHF under KL-Constraint
(Xiong et al., 2023).

Online DPO in batches (GSHF): sample with the policy, and for exploration with an enhancer that differs from it, let the
rewards say which answer is better, run DPO on everything compared so far, repeat.

    π¹_t = DPO on D_off ∪ D_1:t, reference π_0        (y¹, y²) from π¹_t and an enhancer π²_t,  D_{t+1} = {y_w > y_l}

The theory's enhancer maximises the uncertainty relative to π¹_t. In practice: best against worst of several answers
(`pairing`), or answers at another temperature or of the policy of the round before (`enhancer`).

Settings: `reference` never (the paper), round (the authors' script), lag, or the share by which it follows; `history`:
all rounds or the last; `length_penalty`: what a token costs; `margin` between the rewards of a pair. Any method for
pairs can stand for DPO.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from posttrain.core.method import Sampling
from posttrain.data.dataset import Dataset
from posttrain.records import Record
from posttrain.selection.answers import dataset, shorter_is_better
from posttrain.selection.pairs import pairs as paired
from posttrain.selection.prompts import part_of
from posttrain.training.reference import begin, refresh
from posttrain.training.session import NONE, Options, Session

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
    dpo: Options = NONE,
) -> dict[str, float]:
    """Rounds of: sample 4 answers to each prompt (and 4 of the enhancer) -> pairs by reward -> DPO."""
    metrics: dict[str, float] = {}
    begin(session, reference)
    if enhancer == "previous":
        session.copy("policy", "previous")
    authors = explorers(session.how(samples=4), enhancer, heat)
    compared: list[Record] = list(pairs or ())
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        answers = shorter_is_better(session.collect(f"round-{n}", asked, *authors), length_penalty)
        new = paired(answers, pairing, margin=margin)
        compared = [*compared, *new] if history else list(new)
        if enhancer == "previous":
            session.copy("policy", "previous")
        metrics = session.train(method, dataset(compared, f"round {n}"), rewards=(), **dpo)
        refresh(session, reference)
    return metrics


def explorers(how: Sampling, enhancer: str, heat: float) -> tuple[Sampling, ...]:
    """The policy, and who else answers so that there is something to learn from the comparison."""
    if enhancer == "hot":
        return how, replace(how, temperature=how.temperature * heat)
    if enhancer == "previous":
        return how, replace(how, mix=(("previous", 1.0),))
    return (how,)
