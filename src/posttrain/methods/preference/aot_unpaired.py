"""Distributional Preference Alignment of LLMs via Optimal Transport (Melnyk et al., 2024).

AOT, unpaired: at every quantile the log-ratios of the good answers must exceed those of the bad ones (first-order
stochastic dominance), whichever prompts they answer.

    L = -1/n Σ_i log σ(β (s_(i)(y_w) - s_(i)(y_l))),    s_(i) the i-th smallest of the optimiser step

Differs from preference/dpo in the sort: of all ways to pair good with bad answers, the one with the smallest loss. With
one pair it is DPO; where every answer is good as often as bad, it teaches nothing. It sorts the whole optimiser step,
which costs a second forward pass. Use many pairs a step: they show more of the two distributions.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.scores import log_ratio
from posttrain.formulas.losses.transport import sorted_logistic
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="aot_unpaired", loss=Term(pairwise(sorted_logistic, log_ratio, beta=0.1)))
