"""No Free Lunch: Rethinking Internal Feedback for LLM Reasoning (Zhang et al., 2025): self-certainty as the reward.

RLIF: the reward of an answer is how sure the policy was of it. Nothing from outside is read. The policy becomes surer
of what it already believes, which helps where that is right, and the paper shows that it fails later or elsewhere.

    R = 1/|y| Σ_t KL(U || π_old(· | x, y_<t)),    U uniform over the vocabulary

Differs from online/grpo in the reward, which the metric `internal_reward` shows. Rewards of the run are measured beside
it and not trained on. Zhao et al. (2025) call it Intuitor; online/token_entropy and online/trajectory_entropy are the
others of the paper.
"""

from posttrain.core.method import variant
from posttrain.core.parts import part
from posttrain.core.vocabulary import once
from posttrain.formulas.credit.baselines import group_standardise
from posttrain.formulas.credit.internal import internal, mean_certainty
from posttrain.methods.online.grpo import METHOD as GRPO

METHOD = variant(
    GRPO,
    name="self_certainty",
    fields={"old_certainty": once("T", "KL from uniform of the policy, before the update", "policy", "certainty")},
    derived={"internal_reward": mean_certainty, "advantage": part(group_standardise, reward="internal_reward")},
    metrics=GRPO.metrics | {"internal_reward": internal},
)
