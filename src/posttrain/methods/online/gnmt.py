"""Google's Neural Machine Translation System: Bridging the Gap between Human and Machine Translation (Wu et al., 2016).

GNMT's refinement: after maximum likelihood, the expected reward of 15 sampled translations is raised, and a little of
the likelihood stays.

    L = -1/K Σ_k (R_k - mean R) Σ_t log π(y_kt) - α Σ_t log π(y*_t | x, y*_<t)

The paper's reward is `gleu`. Differs from online/reinforce in the baseline, the mean of the group, and by one term over
the stream `demonstrations`; α is `imitation.weight`, 0.017 in the paper. The sample's own reward is in the mean, so the
gradient is (K-1)/K of that of online/rloo.
"""

from posttrain.core.method import SEQUENCE_SUM, Sampling, Stream, Term, variant
from posttrain.formulas.credit.baselines import group_centre
from posttrain.formulas.losses.policy_gradient import reinforce
from posttrain.formulas.losses.scores import nll
from posttrain.methods.online.reinforce import METHOD as REINFORCE

METHOD = variant(
    REINFORCE,
    name="gnmt",
    streams={"main": Stream("prompts", (Sampling(samples=15),)), "demonstrations": Stream("demonstrations")},
    derived={"advantage": group_centre},
    loss={
        "policy": Term(reinforce, reduce=SEQUENCE_SUM),
        "imitation": Term(nll, 0.017, SEQUENCE_SUM, over="demonstrations"),
    },
)
