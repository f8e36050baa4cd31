"""On-Policy Distillation (Lu and Thinking Machines Lab, 2025).

Reverse KL by policy gradient: the teacher's log-prob of each token that the student wrote is its reward, less the
student's own. The teacher gives one number a token, no logits.

    L = -1/N Σ_t A_t log π(y_t | x, y_<t),    A_t = Σ_{k>=t} γ^{k-t} (log q(y_k) - log π_old(y_k))

γ = 0 takes each token by itself: the expected gradient is that of distillation/on_policy. With γ = 1 it is that of the
KL of whole answers, as in MiniLLM (Gu et al., 2024), without its mixed sampling and its normalisation of length.
"""

from posttrain.core.method import TOKEN_MEAN, Sampling, Stream, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.advantages import reward_to_go
from posttrain.formulas.losses.distillation import teacher_log_ratio
from posttrain.formulas.losses.policy_gradient import reinforce
from posttrain.methods.online.reinforce import METHOD as REINFORCE

METHOD = variant(
    REINFORCE,
    name="sampled",
    streams=Stream("prompts", (Sampling(samples=4),)),
    derived={"token_reward": teacher_log_ratio, "advantage": part(reward_to_go, gamma=0.0)},
    loss=Term(reinforce, reduce=TOKEN_MEAN),
)
