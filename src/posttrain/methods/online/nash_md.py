"""Nash Learning from Human Feedback (Munos et al., 2023).

Nash-MD: the policy plays against a mixture of itself and the reference, and its reward is the probability of winning.

    L = -A log π(y),   A = P(y ≻ y') - 1/2 - τ log π(y)/π_ref(y),   y' ~ π^{1-c} π_ref^c, renormalised per token

The opponent's answer is sampled, judged and never trained on. `reward` must be a preference: the probability that
an answer beats `opponent` (a reward function with that parameter, such as the bundled `judge_pairs`). The KL enters
as the sum over the answer, the exact score-function gradient; TRL's trainer, removed since, multiplied each token's
log-ratio with its own gradient only.
"""

from posttrain.core.method import SEQUENCE_SUM, Sampling, Stream, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.baselines import win_minus_kl
from posttrain.formulas.losses.policy_gradient import reinforce
from posttrain.methods.online.reinforce import METHOD as REINFORCE

OPPONENT = Sampling(mix=(("policy", 0.75), ("reference", 0.25)), train=False)

METHOD = variant(
    REINFORCE,
    name="nash_md",
    streams=Stream("prompts", (Sampling(), OPPONENT)),
    derived={"advantage": part(win_minus_kl, tau=0.1)},
    loss=Term(reinforce, reduce=SEQUENCE_SUM),
)
