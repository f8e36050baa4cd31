"""Distributionally Robust Reinforcement Learning with Human Feedback (Mandal et al., 2025).

DR-DPO: the worst case over all distributions of the pairs near that of the data, against a shift of the prompts.

    L = max_q Σ_i q_i L_i,    TV(q, 1/n) <= ρ,    L_i = -log σ(β (s(y_w) - s(y_l)))

Differs from preference/dpo in the weights n q of the pairs of an optimiser step: the largest loss gains ρ (`radius`),
the smallest lose it; no gradient through q (Danskin). Use large batches: the bias falls with 1/√n.
"""

from posttrain.core.method import Derived, Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.formulas.credit.pairs import worst_case
from posttrain.formulas.losses.pairs import logistic, times_weight
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

LOSS = pairwise(logistic, log_ratio, beta=0.1)
METHOD = variant(
    DPO,
    name="dr_dpo",
    derived={"pair_weight": Derived(part(worst_case, loss=LOSS), each="step")},
    loss=Term(part(times_weight, loss=LOSS)),
)
