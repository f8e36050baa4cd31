"""Direct Preference Optimization: Your Language Model is Secretly a Reward Model (Rafailov et al., 2023), appendix A.3.

DPO on rankings: the likelihood of a whole order of answers (Plackett, 1975; Luce, 1959).

    L = -Σ_k log [e^{β s(y_k)} / Σ_{j>=k} e^{β s(y_j)}],    y_1 the best

Differs from preference/dpo in the records: `completions`, the best first. With two answers it is the same.
"""

from posttrain.core.method import Method, Stream, Term
from posttrain.core.parts import part
from posttrain.formulas.losses.lists import plackett_luce
from posttrain.formulas.losses.scores import log_ratio

METHOD = Method(
    name="dpo_list",
    streams=Stream("rankings"),
    loss=Term(part(plackett_luce, score=log_ratio, beta=0.1)),
)
