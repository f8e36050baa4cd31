"""SeqGAN: Sequence Generative Adversarial Nets with Policy Gradient (Yu et al., 2017).

A discriminator learns to tell people's answers from the policy's, and what it says is the policy's reward. They take
turns. Adversarial Learning for Neural Dialogue Generation (Li et al., 2017) adds imitation of people's answers.

    L_D = -log D(y_data) - log(1 - D(y_own)),    r(y) = log D(y)/(1 - D(y)),    D = σ(score of the reward model)

`method` says how a reward is credited: online/reinforce to all tokens of an answer alike, online/red to each prefix
what it changes in the score, in the place of the paper's roll-outs.
"""

from __future__ import annotations

from collections.abc import Iterable

from posttrain.data.dataset import Dataset
from posttrain.records import Demonstration, Rating, Record
from posttrain.seeds import seed_for
from posttrain.selection.answers import dataset
from posttrain.selection.answers import demonstrations as answered
from posttrain.selection.prompts import part_of, prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def seqgan(
    session: Session,
    demonstrations: Dataset,
    *,
    rounds: int = 3,
    demonstrations_per_round: int | None = None,
    method: str = "online/reinforce",
    discriminator: Options = NO_OPTIONS,
    generator: Options = NO_OPTIONS,
    imitation: Options | None = None,
) -> dict[str, float]:
    """Rounds of: answers of the policy -> the discriminator tells them from people's -> its score is the reward.

    Settings:
        rounds: number of rounds; at least 1.
        demonstrations_per_round: demonstrations of a round, taken in turn; at least 1, null takes all in every round.
        method: name of the method that trains the policy; any that reads the score of the model `reward`.
        discriminator: options of every stage of the discriminator: any keys of `train`, and `settings` of its method.
        generator: options of every stage of `method`: any keys of `train`, and `settings` of its method.
        imitation: options of a stage of SFT on the demonstrations after each round; null has none.
    """
    metrics: dict[str, float] = {}
    for n in range(1, rounds + 1):
        shown = part_of(demonstrations, n - 1, demonstrations_per_round)
        asked = prompts_of(shown)
        own = session.collect(f"round-{n}", asked, session.sampling(), rewards=())
        both = [*rated(shown, label=True), *rated(answered(own), label=False)]
        session.train("reward/outcome", dataset(both, f"round {n}"), rewards=(), **discriminator)
        metrics = session.train(method, dataset(asked, f"questions {n}"), rewards=(), **generator)
        if imitation is not None:
            metrics = session.train("imitation/sft", dataset(shown, f"shown {n}"), rewards=(), **imitation)
    return metrics


def rated(shown: Iterable[Record], *, label: bool) -> list[Rating]:
    """Turn demonstrations into ratings, all good or all bad."""
    return [
        Rating(seed_for("rated", r.id, label), r.prompt, r.completion, label, where=r.where)
        for r in shown
        if isinstance(r, Demonstration)
    ]
