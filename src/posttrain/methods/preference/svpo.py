"""Step-level Value Preference Optimization for Mathematical Reasoning (Chen et al., 2024).

SVPO: preferences between steps that continue the same prefix, found by tree search, and a value head that learns the
same order for cheap search at test time.

    L = -log σ(β (s(y_w) - s(y_l))) + c_1 (V(y) - Q(y))² + c_2 max(0, m - V(y_w) + V(y_l))

Differs from preference/dpo in the records (the prompt ends with the prefix, chosen and rejected are steps) and in the
two terms of the value, read before the last token of the step. Q is the column chosen_reward and rejected_reward;
c_1 is `value.weight`, c_2 `order.weight`, m `delta`. The paper does not give c_1, c_2 and m.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.formulas.losses.pairs import hinge, logistic
from posttrain.formulas.losses.scores import at_last, log_ratio
from posttrain.formulas.losses.values import squared_error
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(
    DPO,
    name="svpo",
    loss={
        "preference": Term(pairwise(logistic, log_ratio, beta=0.1)),
        "value": Term(part(squared_error, value=at_last, target="reward"), 0.1),
        "order": Term(pairwise(hinge, at_last, beta=1.0, delta=0.5), 0.1),
    },
)
