"""PREDILECT: Preferences Delineated with Zero-Shot Language-based Reasoning in Reinforcement Learning
(Holk et al., 2024).

A reward model that also learns what people point at: a part that they praise earns more than the rest of the answer, a
part that they criticise less.

    L = -log σ(r_w - r_l) + λ Σ_t |h_t| softplus(-sign(h_t) (r_t - b)) / Σ_t |h_t|,    r_t = s(y_≤t) - s(y_<t)

Differs from reward/bradley_terry in the second term (`highlights.weight` = λ, which the paper does not state). b is the
mean of r_t where nothing is highlighted. The paper's segments are states of a robot, and the exact form of its term is
not known to us. The columns `chosen_highlight` and `rejected_highlight` hold a number for each token, or spans {start,
end, value} of the text, above 0 for praise; the procedure feedback/predilect makes them of what people say.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.core.vocabulary import Field
from posttrain.formulas.losses.highlights import highlighted
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

METHOD = variant(
    BRADLEY_TERRY,
    name="highlights",
    fields={"highlight": Field("T", "praise (above 0) or criticism (below 0) of the part that the token is in")},
    loss={"preference": Term(pairwise(logistic, row_score, beta=1.0)), "highlights": Term(highlighted, 0.5)},
)
