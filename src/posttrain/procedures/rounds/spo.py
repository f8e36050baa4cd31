"""SPO: Multi-Dimensional Preference Sequential Alignment with Implicit Reward Modeling (Lou et al., 2024).

One dimension of preference after the other (helpful, then harmless, ...). What the rounds before have learned
implicitly about a pair of this round is a margin, so that it is kept.

    L_n = -log σ(β (s_n(y_w) - s_n(y_l)) - λβ Σ_{i<n} (r_i(y_w) - r_i(y_l))),    s_n = log π/π_{n-1}
    r_i = log π_i/π_{i-1} - λ Σ_{j<i} r_j

Our derivation from the paper's Lagrangian, with one β and one λ. With one dimension it is DPO, with λ = 0 it is sDPO.
preference/spo is the loss of a second round alone, which reads the frozen models. Here every policy measures the pairs
of the rounds to come, so no model is kept.
"""

from __future__ import annotations

from posttrain.core.method import variant
from posttrain.core.parts import pairwise
from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.pairs import gap
from posttrain.formulas.losses.scores import sum_logp
from posttrain.methods.preference.sr_dpo import METHOD as WITH_MARGIN
from posttrain.selection.answers import dataset
from posttrain.selection.margins import by_dimension, earlier_rewards, with_margins
from posttrain.training.session import NO_OPTIONS, Options, Session

ROUND = variant(WITH_MARGIN, name="spo")


def spo(
    session: Session,
    pairs: Dataset,
    *,
    dimensions: tuple[str, ...] = (),
    column: str = "dimension",
    keep: float = 1.0,
    dpo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """For each dimension: measure the pairs of those to come -> the reference becomes the policy -> DPO with margins.

    Settings:
        dimensions: names in the order of the rounds; any, and none takes the order in which the data first has them.
        column: name of the column that holds the dimension of a pair.
        keep: λ, share of what was learned before that is demanded again; 0 (sDPO) or more, 0.1 to 1 is usual.
        dpo: options of the stage of every round: any keys of `train`, and `settings` of preference/sr_dpo but weight.
    """
    metrics: dict[str, float] = {}
    parts = by_dimension(pairs, column, dimensions)
    gaps: dict[int, list[float]] = {p.id: [] for p in pairs}
    rounds = list(parts)
    for n, name in enumerate(rounds):
        to_come = [p for later in rounds[n:] for p in parts[later]]
        for p, g in zip(to_come, session.measure(f"gaps-{n}", to_come, pairwise(gap, sum_logp)), strict=True):
            gaps[p.id].append(g)
        asked = with_margins(parts[name], [earlier_rewards(gaps[p.id], keep) for p in parts[name]])
        session.copy("policy", "reference")
        options = {**dpo, "settings": {**dpo.get("settings", {}), "weight": 1.0}}
        metrics = session.train(ROUND, dataset(asked, name), rewards=(), **options)
    return metrics
