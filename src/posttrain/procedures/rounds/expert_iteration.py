"""Teaching Large Language Models to Reason with Reinforcement Learning (Havrilla et al., 2024).

Expert iteration (Anthony et al., 2017) as this paper does it: sample solutions, keep those that are right, fine-tune
the model of the start on all that were found so far, and sample anew with the result.

    D_t = D_{t-1} ∪ {(x, y): y ~ π_{t-1}, r(x, y) > τ}        π_t = SFT(π_0, D_t)

One round is a REINFORCE step with reward 1[right] and no baseline, taken on a frozen sampler.

Settings: at most `solutions` different right answers to a question and round; `threshold` τ; `history`: learn from
all rounds or from the last; `start`: fine-tune the model of the start or the latest.
"""

from __future__ import annotations

from typing import Literal

from posttrain.data.dataset import Dataset
from posttrain.records import Demonstration
from posttrain.selection.answers import above, dataset, demonstrations, different
from posttrain.selection.prompts import part_of
from posttrain.training.session import NONE, Options, Session


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
    sft: Options = NONE,
) -> dict[str, float]:
    """Rounds of: sample 8 answers to each prompt -> keep the right ones, no text twice -> SFT."""
    metrics: dict[str, float] = {}
    right: list[Demonstration] = []
    if start == "base":
        session.copy("policy", "base")
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        answers = session.collect(f"round-{n}", asked, session.how(samples=8))
        found = demonstrations(different(above(answers, threshold), solutions))
        right = right + found if history else found
        if start == "base":
            session.copy("base", "policy")
        metrics = session.train("imitation/sft", dataset(right, f"round {n}"), rewards=(), **sft)
    return metrics
