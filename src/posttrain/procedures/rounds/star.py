"""STaR: Bootstrapping Reasoning With Reasoning (Zelikman et al., 2022).

Answer every question once and keep the reasoning of the right answers. Where the answer is wrong, ask again with the
right answer as a hint (rationalisation), and keep that reasoning if it arrives there. Fine-tune the model of the start
on both, without the hints; repeat.

    D_t = {(x, y): y ~ π_{t-1}(.|x), right} ∪ {(x, y): y ~ π_{t-1}(.|x, hint), right}        π_t = SFT(π_0, D_t)
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.procedures.acceptance import Accept, Gate
from posttrain.selection.answers import above, dataset, demonstrations, with_prompts
from posttrain.selection.prompts import asking, part_of, prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def star(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 3,
    prompts_per_round: int | None = None,
    hint: str = " (The answer is {answer}.)",
    steps: int = 40,
    growth: float = 1.2,
    threshold: float = 0.5,
    accept: Accept = "always",
    sft: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: answer greedily -> answer the failures with a hint -> SFT of the first model on the right answers.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        hint: text at the end of the prompt; any, where {answer} and other columns are filled in.
        steps: optimiser steps of the first round; at least 1, 40 in the paper.
        growth: factor of the steps from one round to the next; at least 1 (no growth), 1.2 in the paper.
        threshold: τ, reward that an answer must exceed to be right; any number, 0.5 for rewards of 0 and 1.
        accept: name of the rule for a round: always, or better (taken back unless the held-out reward rises).
        sft: options of every SFT stage: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    session.copy("policy", "base")
    how = session.sampling(samples=1, temperature=0.0)
    gate = Gate(session, accept)
    for n in range(1, rounds + 1):
        asked = prompts_of(part_of(prompts, n - 1, prompts_per_round))
        right = above(session.collect(f"round-{n}", asked, how), threshold)
        known = {r.prompt.id for r in right}
        if failed := [p for p in asked if p.id not in known]:
            rationalised = session.collect(f"round-{n}-with-hints", asking(failed, hint), how)
            right += with_prompts(above(rationalised, threshold), asked)
        trained = dataset(demonstrations(right), f"round {n}")
        session.copy("base", "policy")
        grown = {**sft, "steps": round(steps * growth ** (n - 1))}
        metrics = session.train("imitation/sft", trained, rewards=(), **grown)
        gate.judge(n)
    return metrics
