"""SPO: Multi-Dimensional Preference Sequential Alignment with Implicit Reward Modeling (Lou et al., 2024).

One dimension after the other (helpful, then harmless): the reward that the policy has learned implicitly in the round
before is kept as a margin.

    L = -log σ(β (s(y_w) - s(y_l)) - λβ₁ (s₁(y_w) - s₁(y_l))),    s = log π/π₁,  s₁ = log π₁/π₀

Differs from preference/dpo in the margin, which has no gradient. π₁, the `reference`, is the policy of the round before
and `base` is π₀, where that round began. λβ₁ is `weight`. Our derivation from the paper's Lagrangian.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.core.vocabulary import once
from posttrain.formulas.losses.pairs import offset_logistic
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

EARLIER = part(log_ratio, logp="ref_logp", ref_logp="base_logp")
METHOD = variant(
    DPO,
    name="spo",
    fields={"base_logp": once("T", "log-prob under the policy before the round before", "base", "logp")},
    loss=Term(pairwise(offset_logistic, log_ratio, offset=EARLIER, beta=0.1, weight=0.1)),
)
