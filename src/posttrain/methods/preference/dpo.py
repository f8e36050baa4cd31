"""Direct Preference Optimization: Your Language Model is Secretly a Reward Model (Rafailov et al., 2023).

The Bradley-Terry likelihood of the preferences, with the policy's own log-ratio as the reward.

    L = -log σ(β (s(y_w) - s(y_l))),    s(y) = log π(y|x) / π_ref(y|x)

With `smoothing` it is preference/cdpo. `margin` is subtracted inside σ.
"""

from posttrain.core.method import Method, Stream, Term
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import logistic, ranked, sides
from posttrain.formulas.losses.scores import log_ratio, sum_logp

METHOD = Method(
    name="dpo",
    streams=Stream("pairs"),
    loss=Term(pairwise(logistic, log_ratio, beta=0.1)),
    metrics=ranked(log_ratio, "rewards/accuracies", "log_ratio/margins") | sides(sum_logp, "logps"),
)
