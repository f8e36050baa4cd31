"""WARM: On the Benefits of Weight Averaged Reward Models (Ramé et al., 2024).

Several reward models are trained from one start and averaged in their weights: one model that agrees with none of the
wrong labels that a single one memorises, at the cost of one when it scores.

    θ = 1/M Σ_m θ_m

Members differ in the order of the data, and in their learning rates where `rates` gives several; starts along one run
of SFT (Baklava) are not part of this. The paper trains the head alone before the members part; `probe` is a stage that
comes first.
"""

from __future__ import annotations

from statistics import fmean

from posttrain.core.parts import pairwise
from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.pairs import ordered
from posttrain.formulas.losses.scores import row_score
from posttrain.training.session import NO_OPTIONS, Options, Session


def warm(
    session: Session,
    pairs: Dataset,
    *,
    members: int = 6,
    rates: tuple[float, ...] = (),
    method: str = "reward/bradley_terry",
    probe: Options = NO_OPTIONS,
    reward: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Train reward models from one start -> average their weights -> measure the accuracy of the average on the pairs.

    Settings:
        members: number of models that are averaged; at least 1, 2 to 10 in the paper.
        rates: learning rates of the members in turn; any number above 0, none leaves all at that of their stage.
        method: name of the method that trains each of them; any of the family reward.
        probe: options of a stage before the members part; none leaves it out.
        reward: options of the stage of each member: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    session.copy("policy", "reward")
    if probe:
        session.train(method, pairs, rewards=(), **probe)
    session.copy("reward", "start")
    for m in range(members):
        session.copy("start", "reward")
        own = {"learning_rate": rates[m % len(rates)]} if rates else {}
        metrics = session.train(method, pairs, rewards=(), **{**reward, **own})
        session.copy("reward", "average", 1 / (m + 1))
    session.copy("average", "reward")
    right = session.measure("average", pairs, pairwise(ordered, row_score))
    return {**metrics, "accuracy": fmean(right)}
