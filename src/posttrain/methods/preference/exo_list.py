"""Towards Efficient Exact Optimization of Language Model Alignment (Ji et al., 2024).

EXO with rewards: within a list of answers the policy's distribution is matched to the optimal one, in the direction of
the KL that alignment asks for.

    L = KL(q || p),    q = softmax_i(β s(y_i)),    p = softmax_i(r(y_i)/β_r)

Differs from preference/exo in lists and rewards: the column `reward` with one number for each of `completions`, or a
reward model's. β_r is `reward_scale`. With all answers in the list, π_ref uniform and β = 1, this is KL(π || π*).
"""

from posttrain.core.method import Method, Stream, Term
from posttrain.core.parts import part
from posttrain.formulas.losses.lists import list_reverse_kl
from posttrain.formulas.losses.scores import log_ratio

METHOD = Method(
    name="exo_list",
    streams=Stream("rankings"),
    loss=Term(part(list_reverse_kl, score=log_ratio, beta=0.5)),
)
