"""Inverse-Q*: Token Level Reinforcement Learning for Aligning Large Language Models Without Preference Data
(Xia et al., 2024).

The model itself, asked to be good, is the estimate of the optimal policy: its words about what is wanted make some
tokens of its answers likelier, and these earn a reward. The policy learns to say them without being asked.

    y ~ π(.|x)    ρ_t = log π_ref(y_t|x c⁺) - log π_ref(y_t|x c⁻)    π' = argmin Σ_t (log π(y_t)/π_ref(y_t) - ρ_t/β)²

Settings: c⁺ is `wanted`, c⁻ `unwanted` (nothing: the prompt as it is); β is `settings: {beta: 1.0}`. No preferences and
no rewards are read. How to estimate the optimal policy is our reading (a contrast of instructions, as in RLCD).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.scores import ref_token_logp
from posttrain.records import Rollout
from posttrain.selection.answers import about, dataset, demonstrations
from posttrain.selection.prompts import asking, part_of, prompts_of
from posttrain.training.session import NONE, Options, Session


def inverse_q(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 3,
    prompts_per_round: int | None = None,
    wanted: str = "\nGive a helpful, correct and harmless answer.",
    unwanted: str = "",
    regression: Options = NONE,
) -> dict[str, float]:
    """Rounds of: sample 4 answers -> how much likelier the reference finds each token when asked well -> fit that."""
    metrics: dict[str, float] = {}
    session.copy("policy", "reference")
    for n in range(1, rounds + 1):
        asked = prompts_of(part_of(prompts, n - 1, prompts_per_round))
        answers = session.collect(f"round-{n}", asked, session.how(samples=4), rewards=())
        good, bad = (told(session, f"round-{n}-{c}", answers, w) for c, w in (("good", wanted), ("bad", unwanted)))
        earned = [[a - b for a, b in zip(x, y, strict=True)] for x, y in zip(good, bad, strict=True)]
        own = demonstrations(answers)
        learnt = [replace(d, columns={"token_reward": x}) for d, x in zip(own, earned, strict=True)]
        metrics = session.train("imitation/inverse_q", dataset(learnt, f"round {n}"), rewards=(), **regression)
    return metrics


def told(session: Session, name: str, answers: Sequence[Rollout], words: str) -> list[list[float]]:
    """The reference's log-prob of every token, were the question to end with these words."""
    asked = about(answers, asking((r.prompt for r in answers), words))
    return session.spell(name, demonstrations(asked), ref_token_logp)
