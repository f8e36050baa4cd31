"""No Free Lunch: Rethinking Internal Feedback for LLM Reasoning (Zhang et al., 2025): trajectory entropy as the reward.

RLIF by the log-prob of the answer itself: what the policy finds likely is rewarded, so that its entropy falls.

    R = 1/|y| Σ_t log π_old(y_t | x, y_<t)

Differs from online/self_certainty in the reward, which needs nothing beside the log-probs.
"""

from posttrain.core.method import variant
from posttrain.formulas.credit.internal import mean_old_logp
from posttrain.methods.online.self_certainty import METHOD as SELF_CERTAINTY

METHOD = variant(
    SELF_CERTAINTY,
    name="trajectory_entropy",
    fields={},
    derived=SELF_CERTAINTY.derived | {"internal_reward": mean_old_logp},
)
