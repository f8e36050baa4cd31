"""A Deep Reinforced Model for Abstractive Summarization (Paulus et al., 2017).

The mixed objective: self-critical reinforcement on a metric such as ROUGE, and the likelihood of the reference answers,
which keeps the text readable where the metric does not.

    L = γ L_rl - (1 - γ) Σ_t log π(y*_t | x, y*_<t)

Differs from online/scst by one term over the stream `demonstrations`. γ is `policy.weight`, 0.9984 in the paper, and
1 - γ is `imitation.weight`. With γ = 1 it is online/scst, with γ = 0 imitation/sft by sums over answers.
"""

from posttrain.core.method import SEQUENCE_SUM, Stream, Term, variant
from posttrain.formulas.losses.policy_gradient import reinforce
from posttrain.formulas.losses.scores import nll
from posttrain.methods.online.scst import METHOD as SCST

METHOD = variant(
    SCST,
    name="scst_mixed",
    streams=SCST.streams | {"demonstrations": Stream("demonstrations")},
    loss={
        "policy": Term(reinforce, 0.9984, SEQUENCE_SUM),
        "imitation": Term(nll, 0.0016, SEQUENCE_SUM, over="demonstrations"),
    },
)
