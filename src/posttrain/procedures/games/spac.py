"""Self-Play with Adversarial Critic: Provable and Scalable Offline Alignment for Language Models (Ji et al., 2024).

SPAC in rounds: each begins with a frozen copy of the policy, which answers the questions of the pairs while the policy
trains. The critic is a reward that fits the preferences and otherwise rates those answers low. The policy follows it.

    r_t = argmin_r E[r(y_t) - r(y_w)] - λ E[log σ(r(y_w) - r(y_l))],  y_t ~ π_t        π_{t+1} ∝ π_t e^{η r_t}

The two problems are one loss, preference/spac. Without new preferences it is on-average pessimism: where the data says
nothing, answers become less likely. As λ grows it becomes sdpo on the same pairs in every stage.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.selection.prompts import prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def spac(session: Session, pairs: Dataset, *, rounds: int = 3, spac: Options = NO_OPTIONS) -> dict[str, float]:
    """Rounds of: the reference becomes the policy -> preference/spac on the pairs and on the reference's answers.

    Settings:
        rounds: number of rounds; at least 1.
        spac: options of every stage of preference/spac: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    asked = Dataset(tuple(prompts_of(pairs)), f"questions of {pairs.name}")
    for _ in range(rounds):
        session.copy("policy", "reference")
        metrics = session.train("preference/spac", {"main": pairs, "fresh": asked}, rewards=(), **spac)
    return metrics
