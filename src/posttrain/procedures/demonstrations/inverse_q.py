"""Inverse-Q*: Token Level Reinforcement Learning for Aligning Large Language Models Without Preference Data
(Xia et al., 2024).

The model itself, asked to be good, is the estimate of the optimal policy: an instruction makes some tokens of its
answers likelier, and these earn a reward. The policy learns to write them without the instruction.

    y ~ π(.|x)    ρ_t = log π_ref(y_t|x c⁺) - log π_ref(y_t|x c⁻)    π' = argmin Σ_t (log π(y_t)/π_ref(y_t) - ρ_t/β)²

c⁺ and c⁻ are the settings `wanted` and `unwanted`; β is `settings: {beta: 1.0}`. No preferences and no rewards are
read. The contrast of two instructions as the estimate is our reading of the paper, as in RLCD.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.scores import ref_token_logp
from posttrain.records import Episode
from posttrain.selection.answers import dataset, demonstrations, with_prompts
from posttrain.selection.prompts import asking, part_of, prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def inverse_q(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 3,
    prompts_per_round: int | None = None,
    wanted: str = "\nGive a helpful, correct and harmless answer.",
    unwanted: str = "",
    regression: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: sample 4 answers -> log-ratios of their tokens with and without the instruction -> fit them.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        wanted: c⁺, instruction at the end of the prompt that asks for good answers; any text.
        unwanted: c⁻, instruction that it is contrasted with; any text, empty for the prompt alone.
        regression: options of every stage of imitation/inverse_q: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    session.copy("policy", "reference")
    for n in range(1, rounds + 1):
        asked = prompts_of(part_of(prompts, n - 1, prompts_per_round))
        answers = session.collect(f"round-{n}", asked, session.sampling(samples=4), rewards=())
        good, bad = (
            token_logps(session, f"round-{n}-{c}", answers, w) for c, w in (("good", wanted), ("bad", unwanted))
        )
        gains = [[a - b for a, b in zip(x, y, strict=True)] for x, y in zip(good, bad, strict=True)]
        own = demonstrations(answers)
        trained = [replace(d, columns={"token_reward": x}) for d, x in zip(own, gains, strict=True)]
        metrics = session.train("imitation/inverse_q", dataset(trained, f"round {n}"), rewards=(), **regression)
    return metrics


def token_logps(session: Session, name: str, answers: Sequence[Episode], instruction: str) -> list[list[float]]:
    """Return the reference's log-prob of every token of every answer, with an instruction at the end of the prompt."""
    asked = with_prompts(answers, asking((r.prompt for r in answers), instruction))
    return session.measure_tokens(name, demonstrations(asked), ref_token_logp)
