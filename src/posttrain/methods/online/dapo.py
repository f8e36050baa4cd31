"""DAPO: An Open-Source LLM Reinforcement Learning System at Scale (Yu et al., 2025).

Four changes to online/grpo, and no KL: a higher upper clip, one mean over all tokens of the step, groups without
contrast replaced by fresh ones, and a soft penalty on answers that run into the limit.

    L = 1/Σ|y_i| Σ_i Σ_t -min(ρ_t A_i, clip(ρ_t, 1-0.2, 1+0.28) A_i)
    R_i = r(y_i) - clip((|y_i| - (L_max - L_buffer)) / L_buffer, 0, 1)

The paper also penalises answers beyond L_max by 1; sampling stops there, so the slope ends at -1.
"""

from posttrain.core.method import TOKEN_MEAN, Sampling, Stream, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.baselines import group_standardise
from posttrain.formulas.credit.shaping import soft_overlong
from posttrain.formulas.losses.policy_gradient import clipped_share, clipped_surrogate, token_ratio
from posttrain.methods.online.grpo import METHOD as GRPO
from posttrain.selection.views import contrasting

METHOD = variant(
    GRPO,
    name="dapo",
    streams=Stream("prompts", (Sampling(samples=16),), keep=contrasting),
    derived={"advantage": part(group_standardise, reward=soft_overlong)},
    loss={"policy": Term(part(clipped_surrogate, ratio=token_ratio, low=0.2, high=0.28), reduce=TOKEN_MEAN)},
    metrics=GRPO.metrics
    | {"clip_ratio/region_mean": Term(part(clipped_share, ratio=token_ratio, low=0.2, high=0.28), reduce=TOKEN_MEAN)},
)
