"""Simplify RLHF as Reward-Weighted SFT: A Variational Method (Du et al., 2025).

VAR: fine-tuning on the answers to a prompt, each weighted by its probability under the optimal policy. Weights are
never negative, so no answer is pushed down.

    L = -Σ_y ω(y) log π(y),    ω = softmax over the answers to x of  a log π_ref(y|x) + r(y)/λ

Differs from imitation/sft in the weights and in the records, lists of `completions` with a `reward` each. a is `prior`:
1 for answers of any origin, 0 for answers sampled from the reference (reward-weighted regression); λ is the
`temperature`. With all answers in the list and a = 1 it ends at π_ref exp(r/λ)/Z. Summed over long answers, the
log-probs make ω pick a single answer. Lower `prior` then.
"""

from posttrain.core.method import SEQUENCE_SUM, Method, Stream, Term
from posttrain.formulas.credit.matching import posterior
from posttrain.formulas.losses.policy_gradient import reinforce

METHOD = Method(
    name="var",
    streams=Stream("rankings"),
    derived={"advantage": posterior},
    loss=Term(reinforce, reduce=SEQUENCE_SUM),
)
