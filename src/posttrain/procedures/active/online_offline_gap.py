"""Understanding the performance gap between online and offline alignment algorithms (Tang et al., 2024).

The same loss and budget, other data. Which of them closes the gap says what the gap is made of.

    online       rounds of: the policy's own answers, compared -> train
    offline      the pairs that are given
    shuffled     offline, on all the pairs that `online` saw: the same data, in any order
    final        offline, on pairs of the policy that `online` ends with: better data
    best_of_n    offline, on the best and worst of n answers of the first policy
    sft          offline, after learning to say the preferred answers

Each arm begins with the same policy, which is the reference of all. `n` is also how many answers `online` compares.
evaluate.gap compares two arms at the same KL; `posttrain compare online_offline_gap:arm=online
online_offline_gap:arm=offline` runs them. What `shuffled` and `final` learn online only makes their data.
"""

from __future__ import annotations

from typing import Literal

from posttrain.data.dataset import Dataset
from posttrain.records import Demonstration, Pair
from posttrain.selection.answers import dataset
from posttrain.selection.pairs import pairs as compared
from posttrain.selection.prompts import part_of
from posttrain.training.session import NONE, Options, Session

Arm = Literal["online", "offline", "shuffled", "final", "best_of_n", "sft"]


def online_offline_gap(
    session: Session,
    prompts: Dataset,
    pairs: Dataset,
    *,
    arm: Arm = "online",
    rounds: int = 4,
    prompts_per_round: int | None = None,
    n: int = 2,
    method: str = "preference/ipo",
    train: Options = NONE,
    sft: Options = NONE,
) -> dict[str, float]:
    """One arm: make its data, then train on it for as many passes as each of `rounds` stages has."""
    session.copy("policy", "reference")
    asked = [part_of(prompts, i, prompts_per_round) for i in range(rounds)]
    if arm == "offline":
        return session.train(method, pairs, rewards=(), **train)
    if arm == "sft":
        shown = [Demonstration(p.id, p.prompt, p.chosen, p.where) for p in pairs if isinstance(p, Pair)]
        session.train("imitation/sft", dataset(shown, "preferred answers"), rewards=(), **(sft or train))
        return session.train(method, pairs, rewards=(), **train)
    made: list[Pair] = []
    metrics: dict[str, float] = {}
    if arm != "best_of_n":
        for i, some in enumerate(asked, 1):
            new = compared(session.collect(f"round-{i}", some, session.how(samples=n)))
            made += new
            metrics = session.train(method, dataset(new, f"round {i}"), rewards=(), **train)
    if arm == "online":
        return metrics
    if arm != "shuffled":
        made = [
            p
            for i, some in enumerate(asked, 1)
            for p in compared(session.collect(f"{arm}-{i}", some, session.how(samples=n)))
        ]
    session.copy("reference", "policy")
    return session.train(method, dataset(made, f"pairs of {arm}"), rewards=(), **train)
