"""Teaching Large Language Models to Reason with Reinforcement Learning (Havrilla et al., 2024).

Return-conditioned RL as in this paper: the model of the start learns right and wrong solutions, each behind a tag that
says which it is, and is then asked with the tag of the right ones. The pool of solutions grows from round to round.

    L = -log π(y | x, [GOOD]) where r(x, y) > τ,    -log π(y | x, [BAD]) elsewhere

Differs from the paper: a tag stands at the end of the prompt and is about the whole solution, not about each step.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.records import Episode, Record
from posttrain.selection.answers import above, dataset, demonstrations, reward_of, scored, with_prompts
from posttrain.selection.prompts import asking, part_of, prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def return_conditioned(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 3,
    prompts_per_round: int | None = None,
    threshold: float = 0.5,
    good: str = " [GOOD]",
    bad: str = " [BAD]",
    sft: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: sample with the good tag (at first without) -> tag the whole pool by its rewards -> SFT of the start.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        threshold: τ, reward that an answer must exceed to be right; any number, 0.5 for rewards of 0 and 1.
        good: text at the end of the prompt of a right answer; any.
        bad: text at the end of the prompt of a wrong answer; any other.
        sft: options of every SFT stage: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    pool: list[Episode] = []
    session.copy("policy", "base")
    for n in range(1, rounds + 1):
        asked = prompts_of(part_of(prompts, n - 1, prompts_per_round))
        tagged = asked if n == 1 else asking(asked, good)
        pool += with_prompts(session.collect(f"round-{n}", tagged, session.sampling(samples=4)), asked)
        wrong = [r for r in scored(pool) if reward_of(r) <= threshold]
        trained: list[Record] = []
        for text, part in ((good, above(pool, threshold)), (bad, wrong)):
            trained += demonstrations(with_prompts(part, asking((r.prompt for r in part), text)))
        session.copy("base", "policy")
        metrics = session.train("imitation/sft", dataset(trained, f"round {n}"), rewards=(), **sft)
    return metrics
