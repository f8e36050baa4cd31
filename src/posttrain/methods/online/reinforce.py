"""Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning (Williams, 1992).

REINFORCE on whole answers: raise the probability of answers that earn more than a baseline.

    L = -Σ_t (G_t - b) log π(y_t | x, y_<t),    G_t = Σ_{k>=t} γ^{k-t} r_k

The baseline b is the moving average of the rewards of earlier batches, so it never depends on the answer that it is
compared with and the gradient stays unbiased (Ranzato et al., 2016, for text). The reward is paid at the last token.
"""

from posttrain.core.method import SEQUENCE_SUM, TOKEN_MEAN, Method, Sampling, Stream, Term
from posttrain.core.parts import part
from posttrain.formulas.credit.advantages import reward_to_go
from posttrain.formulas.credit.baselines import minus_baseline, running_mean
from posttrain.formulas.credit.shaping import terminal
from posttrain.formulas.losses.penalties import entropy_of, sampler_gap
from posttrain.formulas.losses.policy_gradient import reinforce

METHOD = Method(
    name="reinforce",
    streams=Stream("prompts", (Sampling(samples=1),)),
    derived={
        "baseline": part(running_mean, decay=0.9),
        "token_reward": terminal,
        "advantage": part(minus_baseline, token_return=reward_to_go),
    },
    loss=Term(reinforce, reduce=SEQUENCE_SUM),
    metrics={
        "entropy": Term(entropy_of, reduce=TOKEN_MEAN),
        "sampling/logp_difference": Term(part(sampler_gap, old_logp="logp"), reduce=TOKEN_MEAN),
    },
)
