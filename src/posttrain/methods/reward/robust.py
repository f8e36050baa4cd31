"""Distributionally Robust Reinforcement Learning with Human Feedback (Mandal et al., 2025), its reward model.

The worst case over all distributions of the pairs near that of the data, against a shift of the prompts.

    L = max_q Σ_i q_i L_i,    TV(q, 1/n) <= ρ,    L_i = -log σ(r(x, y_w) - r(x, y_l))

Differs from reward/bradley_terry in the weights n q of the pairs of an optimiser step; preference/dr_dpo is the same on
implicit rewards. ρ is the setting `pair_weight.radius`.
"""

from posttrain.core.method import Derived, Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.formulas.credit.pairs import worst_case
from posttrain.formulas.losses.pairs import logistic, times_weight
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

LOSS = pairwise(logistic, row_score, beta=1.0)
METHOD = variant(
    BRADLEY_TERRY,
    name="robust",
    derived={"pair_weight": Derived(part(worst_case, loss=LOSS), each="step")},
    loss=Term(part(times_weight, loss=LOSS)),
)
