"""Proximal Policy Optimization Algorithms (Schulman et al., 2017), as used on language models by Ouyang et al. (2022).

PPO: a critic values every token, the KL to the reference is part of the reward, and the policy moves within a clip.

    r_t = [t last] R - β log π_old/π_ref,   δ_t = r_t + γ V_{t+1} - V_t,   A_t = Σ_k (γλ)^k δ_{t+k}, whitened
    L = -min(ρ_t A_t, clip(ρ_t, 1-ε, 1+ε) A_t) + c ½ max((V - R_t)², (clip(V, V_old ± ε_v) - R_t)²)

R_t = A_t + V_t before whitening. c is `value.weight`, usually 0.1 to 0.5. The critic is a separate model unless the run
shares it with the policy.
"""

from posttrain.core.method import TOKEN_MEAN, Method, Sampling, Stream, Term
from posttrain.core.parts import part
from posttrain.formulas.credit.advantages import add_value, gae, whiten
from posttrain.formulas.credit.shaping import reward_minus_fixed_kl
from posttrain.formulas.losses.penalties import entropy_of, kl_k1, sampler_gap
from posttrain.formulas.losses.policy_gradient import clipped_share, clipped_surrogate, token_ratio
from posttrain.formulas.losses.values import clipped_value, explained_variance

METHOD = Method(
    name="ppo",
    streams=Stream("prompts", (Sampling(samples=1),)),
    passes=4,
    derived={
        "token_reward": part(reward_minus_fixed_kl, kl_weight=0.05),
        "credit": part(gae, gamma=1.0, lam=0.95),
        "returns": add_value,
        "advantage": whiten,
    },
    loss={
        "policy": Term(part(clipped_surrogate, ratio=token_ratio), reduce=TOKEN_MEAN),
        "value": Term(clipped_value, 0.1, TOKEN_MEAN),
    },
    metrics={
        "kl": Term(part(kl_k1, logp="old_logp"), reduce=TOKEN_MEAN),
        "entropy": Term(entropy_of, reduce=TOKEN_MEAN),
        "clip_ratio/region_mean": Term(part(clipped_share, ratio=token_ratio), reduce=TOKEN_MEAN),
        "value/explained_var": explained_variance,
        "sampling/logp_difference": Term(sampler_gap, reduce=TOKEN_MEAN),
    },
)
