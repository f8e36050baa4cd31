"""Fine-Tuning Language Models with Advantage-Induced Policy Alignment (Zhu et al., 2023).

APA: the log-prob is regressed on that of the improved policy π_old exp(A/λ). There is no ratio, so nothing is clipped.

    L = (log π - log π_0 - A_t/λ)² + c ½ (V - R_t)²

π_0 is the policy before the batch; `improves: ref` takes the reference, as in the paper's theory. Before the first
update the gradient is that of PPO times 2/λ. Differs from online/ppo in both losses.
"""

from posttrain.core.method import TOKEN_MEAN, Term, variant, without
from posttrain.core.parts import part
from posttrain.formulas.losses.improvement import advantage_regression, anchor_logp
from posttrain.formulas.losses.values import value_error
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="apa",
    passes=2,
    loss={
        "policy": Term(part(advantage_regression, anchor_logp=anchor_logp), reduce=TOKEN_MEAN),
        "value": Term(value_error, 0.1, TOKEN_MEAN),
    },
    metrics=without(PPO.metrics, "clip_ratio/region_mean"),
)
