"""Gemini: A Family of Highly Capable Multimodal Models (Gemini Team, 2023), its loop of RLHF.

Feedback and RL improve each other: people compare answers of the newest policy, the reward model is trained anew with
these comparisons, RL pursues it, and the next round compares what came of that.

    D_n = D_{n-1} ∪ {y_w > y_l of π_{n-1}}      r_n = reward model on D_n      π_n = RL of π_{n-1} against r_n

The run file's rewards stand for people. Every reward model starts from the first policy, which is also the reference;
the report names neither, nor its algorithm of RL.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.records import Record
from posttrain.selection.answers import dataset
from posttrain.selection.pairs import pairs as compared
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def gemini(
    session: Session,
    prompts: Dataset,
    pairs: Dataset | None = None,
    *,
    rounds: int = 3,
    prompts_per_round: int | None = None,
    method: str = "online/ppo",
    reward: Options = NO_OPTIONS,
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: comparisons of the newest policy's answers -> reward model -> RL against it.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts whose answers are compared, taken in turn; at least 1, null takes all every time.
        method: name of the method of RL; any that reads a reward model, such as online/reinforce.
        reward: options of every stage of the reward model: any keys of `train`, and `settings` of its method.
        then: options of every stage of RL: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    seen: list[Record] = list(pairs or ())
    session.copy("policy", "reference")
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        seen += compared(session.collect(f"round-{n}", asked, session.sampling(samples=2)))
        session.copy("reference", "reward")
        session.train("reward/bradley_terry", dataset(seen, f"comparisons of {n} rounds"), rewards=(), **reward)
        session.copy("reward", "critic")
        metrics = session.train(method, prompts, rewards=(), **then)
    return metrics
