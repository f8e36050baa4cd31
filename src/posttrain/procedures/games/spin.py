"""Self-Play Fine-Tuning Converts Weak Language Models to Strong Language Models (Chen et al., 2024).

SPIN: the policy learns to tell the demonstrations from its own answers of the round before, until it cannot. It needs
no rewards.

    L = -log σ(β (s(y_data) - s(y_own))),  y_own ~ π_t,  s = log π/π_t

Differs from iterative_dpo: the preferred answer is the demonstration, and the reference is the policy of the round.

Settings: the comparisons of the last `window` rounds (2 in the authors' code) are learnt from.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.records import Pair
from posttrain.selection.answers import dataset
from posttrain.selection.pairs import against
from posttrain.selection.prompts import part_of, prompts_of
from posttrain.training.session import NONE, Options, Session


def spin(
    session: Session,
    demonstrations: Dataset,
    *,
    rounds: int = 3,
    demonstrations_per_round: int | None = None,
    window: int = 2,
    method: str = "preference/dpo",
    dpo: Options = NONE,
) -> dict[str, float]:
    """Rounds of: answer what the demonstrations answer -> DPO of the demonstrations against the own answers."""
    metrics: dict[str, float] = {}
    compared: list[list[Pair]] = []
    for n in range(1, rounds + 1):
        shown = part_of(demonstrations, n - 1, demonstrations_per_round)
        own = session.collect(f"round-{n}", prompts_of(shown), session.how(), rewards=())
        compared.append(against(shown, own))
        recent = (p for batch in compared[-window:] for p in batch)
        session.copy("policy", "reference")
        metrics = session.train(method, dataset(recent, f"round {n}"), rewards=(), **dpo)
    return metrics
