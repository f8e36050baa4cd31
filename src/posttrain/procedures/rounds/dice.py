"""Bootstrapping Language Models with DPO Implicit Rewards (Chen et al., 2024).

DICE: a policy that DPO has tuned is also a reward model. It scores its own answers, and DPO runs on the best and the
worst of them, mixed with some of the comparisons that people made.

    r(y) = β log π_t(y)/π_ref(y) - a |y|        a such that |y_w| = |y_l| on average        π_ref becomes π_t

The length is in tokens (in the authors' code in characters), and a is in units of β.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.scores import log_ratio
from posttrain.selection.answers import dataset, finished
from posttrain.selection.pairs import mix_replay, pairs_of_equal_length
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def dice(
    session: Session,
    prompts: Dataset,
    pairs: Dataset,
    *,
    rounds: int = 2,
    prompts_per_round: int | None = None,
    replay: float = 0.5,
    at_least: int = 2,
    tuned: bool = False,
    method: str = "preference/dpo",
    first: Options = NO_OPTIONS,
    dpo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """DPO on the pairs, then rounds of: sample 16 answers -> score with the implicit reward -> DPO with replay.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        replay: γ, share of the old comparisons, of other prompts than the new ones; 0 to 1, 0.5 in the paper.
        at_least: answers that ended by themselves that a prompt must have; 2 to 16, 8 in the paper.
        tuned: false begins with DPO on the pairs; true where the run's `models` are tuned.
        method: name of the method that trains the policy; any that reads pairs, such as preference/simpo.
        first: options of the DPO stage that comes first: any keys of `train`, and `settings` of its method.
        dpo: options of every stage of `method` in the rounds: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    if not tuned:
        session.copy("policy", "reference")
        metrics = session.train(method, pairs, rewards=(), **first)
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        answers = session.collect(f"round-{n}", asked, session.sampling(samples=16), rewards=log_ratio)
        new = pairs_of_equal_length(finished(answers, at_least))
        mixed = mix_replay(new, pairs, replay)
        session.copy("policy", "reference")
        metrics = session.train(method, dataset(mixed, f"round {n}"), rewards=(), **dpo)
    return metrics
