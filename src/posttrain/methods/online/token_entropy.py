"""No Free Lunch: Rethinking Internal Feedback for LLM Reasoning (Zhang et al., 2025): token entropy as the reward.

RLIF by the entropy of the distributions that an answer was sampled from: low entropy is rewarded.

    R = -1/|y| Σ_t H(π_old(· | x, y_<t))

Differs from online/self_certainty in the reward.
"""

from posttrain.core.method import variant
from posttrain.core.vocabulary import once
from posttrain.formulas.credit.internal import minus_mean_entropy
from posttrain.methods.online.self_certainty import METHOD as SELF_CERTAINTY

METHOD = variant(
    SELF_CERTAINTY,
    name="token_entropy",
    fields={"old_entropy": once("T", "entropy of the policy, before the update", "policy", "entropy")},
    derived=SELF_CERTAINTY.derived | {"internal_reward": minus_mean_entropy},
)
