"""Understanding the performance gap between online and offline alignment algorithms (Tang et al., 2024).

The same loss and budget on different data. The arm that closes the gap shows what the gap is made of.

    online       rounds of: the policy's own answers, compared -> train
    offline      the given pairs
    shuffled     offline, on all the pairs that `online` saw: the same data in any order
    final        offline, on pairs of the policy that `online` ends with: better data
    best_of_n    offline, on the best and worst of n answers of the first policy
    sft          offline, after SFT on the preferred answers

Every arm begins with the same policy, which is the reference of all, and has the same budget: `steps` are those of all
rounds together. `posttrain compare online_offline_gap:arm=online online_offline_gap:arm=offline` runs two arms and
shows their gap at equal KL. The arms `shuffled` and `final` train online only to make their data.
"""

from __future__ import annotations

from math import ceil
from typing import Literal

from posttrain.data.dataset import Dataset
from posttrain.records import Demonstration, Pair
from posttrain.selection.answers import dataset
from posttrain.selection.pairs import pairs as paired
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session

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
    train: Options = NO_OPTIONS,
    sft: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Make the data of one arm, then train on it for as many steps, or passes, as the rounds of the arm online make.

    Settings:
        arm: name of the arm: online, offline, shuffled, final, best_of_n or sft.
        rounds: rounds of the arm online; the other arms use the prompts of the same rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        n: answers to each prompt that are compared; at least 2.
        method: name of the method that trains the policy; any that reads pairs, such as preference/simpo.
        train: options of `method`: any keys of `train`, where `steps` are shared by the rounds, and its `settings`.
        sft: options of the stage of the arm sft: any keys of `train`; those of the setting `train` where it is empty.
    """
    session.copy("policy", "reference")
    asked = [part_of(prompts, i, prompts_per_round) for i in range(rounds)]
    if arm == "offline":
        return session.train(method, pairs, rewards=(), **train)
    if arm == "sft":
        shown = [Demonstration(p.id, p.prompt, p.chosen, p.where) for p in pairs if isinstance(p, Pair)]
        session.train("imitation/sft", dataset(shown, "preferred answers"), rewards=(), **(sft or train))
        return session.train(method, pairs, rewards=(), **train)
    seen: list[Pair] = []
    metrics: dict[str, float] = {}
    if arm != "best_of_n":
        for i, some in enumerate(asked, 1):
            new = paired(session.collect(f"round-{i}", some, session.sampling(samples=n)))
            seen += new
            metrics = session.train(method, dataset(new, f"round {i}"), rewards=(), **of_round(session, train, rounds))
    if arm == "online":
        return metrics
    if arm != "shuffled":
        seen = [
            p
            for i, some in enumerate(asked, 1)
            for p in paired(session.collect(f"{arm}-{i}", some, session.sampling(samples=n)))
        ]
    session.copy("reference", "policy")
    return session.train(method, dataset(seen, f"pairs of {arm}"), rewards=(), **train)


def of_round(session: Session, train: Options, rounds: int) -> Options:
    """Return the options of one of several rounds that make as many steps together as a single stage would."""
    steps = train.get("steps", None if "epochs" in train else session.run.file.train.steps)
    return train if steps is None else {**train, "steps": ceil(steps / rounds)}
