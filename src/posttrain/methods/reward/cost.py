"""Safe RLHF: Safe Reinforcement Learning from Human Feedback (Dai et al., 2024), its cost model.

Pairs whose first answer is the safer one, and for each answer whether it is safe. The cost orders them, and its sign
says whether an answer is harmful, so that 0 is a limit that reinforcement learning can hold.

    L = -log σ(C_l - C_w) - κ [log σ(h_w C_w) + log σ(h_l C_l)],    h = -1 for a safe answer, else 1

Differs from reward/bradley_terry, which is κ = 0 on -C, in the signs. Columns: chosen_safe, rejected_safe.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.formulas.losses.costs import harmlessness, sign_right, signed_costs
from posttrain.formulas.losses.pairs import ranked, sides
from posttrain.formulas.losses.scores import row_safety, row_score
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

METHOD = variant(
    BRADLEY_TERRY,
    name="cost",
    loss=Term(pairwise(signed_costs, row_score, safe=row_safety)),
    metrics=ranked(harmlessness, "accuracy", "margin") | sides(row_score, "cost") | {"signs": part(sign_right)},
)
