"""ORPO: Monolithic Preference Optimization without Reference Model (Hong et al., 2024).

Supervised fine-tuning and preferences in one stage: the likelihood of the preferred answer, and the odds of the two.

    L = -1/|y_w| log π(y_w) - λ log σ(log odds(y_w) - log odds(y_l)),    odds = p/(1-p),  p = π(y)^(1/|y|)

Differs from preference/dpo: no reference, odds instead of ratios, and an NLL term. `odds.weight` is λ, 0.1 in the
paper. The NLL is the mean over the answer, as in the formula. With `over: tokens` it is one mean over the tokens of all
preferred answers of the step, as in the authors' code and TRL's, which count the prompts too.
"""

from posttrain.core.method import Derived, Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.core.rate import Rate
from posttrain.formulas.credit.pairs import length_weight
from posttrain.formulas.losses.pairs import gap, logistic, minus_first, ordered, sides, times_weight
from posttrain.formulas.losses.scores import log_odds, mean_logp, sum_logp
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(
    DPO,
    name="orpo",
    derived={"pair_weight": Derived(length_weight, each="step")},
    loss={
        "nll": Term(part(times_weight, loss=pairwise(minus_first, mean_logp))),
        "odds": Term(pairwise(logistic, log_odds, beta=1.0), 0.1),
    },
    metrics={
        "rewards/accuracies": pairwise(ordered, mean_logp),
        "log_odds/margins": pairwise(gap, log_odds),
        **sides(sum_logp, "logps"),
    },
    rates={"policy": Rate(8e-6, 8e-5)},
)
