"""RAFT: Reward rAnked FineTuning for Generative Foundation Model Alignment (Dong et al., 2023).

Sample several answers to each question, keep the best, imitate them; repeat with the new policy. Also known as
rejection-sampling fine-tuning (Llama 2) and best-of-n distillation.

    y* = argmax_k r(x, y_k),  y_1..y_K ~ π_t        π_{t+1} = argmin -log π(y* | x)

Of n answers the best beats a single one with probability n/(n+1), at KL(best of n || π) <= log n - (n-1)/n.

Ties go to the earlier answer. An answer is trained on token by token as it was sampled, so a truncated one does not
teach to stop.
"""

from __future__ import annotations

from typing import Literal

from posttrain.data.dataset import Dataset
from posttrain.procedures.acceptance import Accept, Gate
from posttrain.selection.answers import best, dataset, demonstrations
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def raft(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 3,
    prompts_per_round: int | None = None,
    keep: int = 1,
    start: Literal["latest", "base"] = "latest",
    accept: Accept = "always",
    sft: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: sample 8 answers to each prompt -> keep the best -> SFT on them.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        keep: best answers to each prompt that are imitated; at least 1.
        start: name of the model that a round fine-tunes: latest (the policy) or base (the model of the start).
        accept: name of the rule for a round: always, or better (taken back unless the held-out reward rises).
        sft: options of every SFT stage: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    if start == "base":
        session.copy("policy", "base")
    gate = Gate(session, accept)
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        answers = session.collect(f"round-{n}", asked, session.sampling(samples=8))
        chosen = dataset(demonstrations(best(answers, keep)), f"round {n}")
        if start == "base":
            session.copy("base", "policy")
        metrics = session.train("imitation/sft", chosen, rewards=(), **sft)
        gate.judge(n)
    return metrics
