"""Teaching Large Language Models to Reason with Reinforcement Learning (Havrilla et al., 2024).

Expert iteration (Anthony et al., 2017) as this paper does it: sample solutions, keep the right ones, fine-tune the
model of the start on all right solutions so far, and sample again with the result.

    D_t = D_{t-1} ∪ {(x, y): y ~ π_{t-1}, r(x, y) > τ}        π_t = SFT(π_0, D_t)

One round is a REINFORCE step with reward 1[right] and no baseline, taken on a frozen sampler.
"""

from __future__ import annotations

from typing import Literal

from posttrain.data.dataset import Dataset
from posttrain.records import Demonstration
from posttrain.selection.answers import above, dataset, demonstrations, different
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def expert_iteration(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 3,
    prompts_per_round: int | None = None,
    solutions: int = 4,
    threshold: float = 0.5,
    history: bool = True,
    start: Literal["base", "latest"] = "base",
    sft: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: sample 8 answers to each prompt -> keep the right ones, no text twice -> SFT.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        solutions: different right answers to a prompt that a round keeps at most; at least 1, 4 in the paper.
        threshold: τ, reward that an answer must exceed to be right; any number, 0.5 for rewards of 0 and 1.
        history: true trains on the right answers of all rounds, false on those of the last.
        start: name of the model that a round fine-tunes: base (the model of the start) or latest (the policy).
        sft: options of every SFT stage: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    right: list[Demonstration] = []
    if start == "base":
        session.copy("policy", "base")
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        answers = session.collect(f"round-{n}", asked, session.sampling(samples=8))
        new = demonstrations(different(above(answers, threshold), solutions))
        right = right + new if history else new
        if start == "base":
            session.copy("base", "policy")
        metrics = session.train("imitation/sft", dataset(right, f"round {n}"), rewards=(), **sft)
    return metrics
