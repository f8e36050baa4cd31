"""Uncertainty-Penalized RLHF with Diverse Reward LoRA Ensembles (Zhai et al., 2023).

Members with adapters of their own, which a nuclear norm drives apart, so that they agree only where the data say so.

    L = 1/M Σ_m -w_m log σ(r_m(x, y_w) - r_m(x, y_l)) - λ ‖[vec B_1 A_1; ...; vec B_M A_M]‖_*

Differs from reward/ensemble in the second term (`diversity.weight` = λ). It needs `model.lora: {members: 4}`. RL reads
r̄ - λ_u std_m r_m with `models.reward.ensemble: {by: deviation, weight: λ_u}`.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import part
from posttrain.core.vocabulary import live
from posttrain.formulas.losses.members import likeness, member_logistic
from posttrain.methods.reward.ensemble import METHOD as ENSEMBLE

METHOD = variant(
    ENSEMBLE,
    name="up_rlhf",
    fields=ENSEMBLE.fields | {"diversity": live("B", "nuclear norm of the members' updates", "reward", "diversity")},
    loss={"preference": Term(part(member_logistic)), "diversity": Term(likeness, 0.1)},
)
