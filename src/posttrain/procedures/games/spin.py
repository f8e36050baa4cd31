"""Self-Play Fine-Tuning Converts Weak Language Models to Strong Language Models (Chen et al., 2024).

SPIN: the policy learns to tell the demonstrations from its own answers of the round before, until it cannot. It needs
no rewards.

    L = -log σ(β (s(y_data) - s(y_own))),  y_own ~ π_t,  s = log π/π_t

Differs from iterative_dpo: the preferred answer is the demonstration, and the reference is the policy of the round.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.records import Pair
from posttrain.selection.answers import dataset
from posttrain.selection.pairs import against
from posttrain.selection.prompts import part_of, prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def spin(
    session: Session,
    demonstrations: Dataset,
    *,
    rounds: int = 3,
    demonstrations_per_round: int | None = None,
    window: int = 2,
    method: str = "preference/dpo",
    dpo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: answer the questions of the demonstrations -> DPO of the demonstrations against these answers.

    Settings:
        rounds: number of rounds; at least 1.
        demonstrations_per_round: demonstrations of a round, taken in turn; at least 1, null takes all in every round.
        window: latest rounds whose comparisons are trained on; at least 1, 2 in the authors' code.
        method: name of the method that trains the policy; any that reads pairs, such as preference/simpo.
        dpo: options of every stage of `method`: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    compared: list[list[Pair]] = []
    for n in range(1, rounds + 1):
        shown = part_of(demonstrations, n - 1, demonstrations_per_round)
        own = session.collect(f"round-{n}", prompts_of(shown), session.sampling(), rewards=())
        compared.append(against(shown, own))
        recent = (p for batch in compared[-window:] for p in batch)
        session.copy("policy", "reference")
        metrics = session.train(method, dataset(recent, f"round {n}"), rewards=(), **dpo)
    return metrics
