"""Proximal Policy Optimization Algorithms (Schulman et al., 2017), section 4: adaptive KL penalty.

PPO without a clip: the step is held back by a penalty on KL(π_old || π) whose weight doubles or halves after the
passes, when it is known how far they went.

    L = -ρ_t A_t + β k3(π_old || π) + c L_value,   β ← 2β if KL > 1.5 target,   β ← β/2 if KL < target/1.5

Differs from online/ppo in the policy term and in `penalty_weight`, which is derived at the end of the batch.
"""

from posttrain.core.method import TOKEN_MEAN, Derived, Term, variant, without
from posttrain.core.parts import part
from posttrain.formulas.credit.controllers import doubling_kl
from posttrain.formulas.losses.penalties import kl_k3
from posttrain.formulas.losses.policy_gradient import surrogate, token_ratio
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="ppo_penalty",
    derived=PPO.derived | {"penalty_weight": Derived(doubling_kl, each="end")},
    loss=PPO.loss
    | {
        "policy": Term(part(surrogate, ratio=token_ratio), reduce=TOKEN_MEAN),
        # k3 of the tokens drawn from π_old estimates KL(π_old || π), so the two trade places.
        "distance": Term(part(kl_k3, logp="old_logp", ref_logp="logp"), "penalty_weight", TOKEN_MEAN),
    },
    metrics=without(PPO.metrics, "clip_ratio/region_mean"),
)
