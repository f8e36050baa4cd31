"""Earlier Tokens Contribute More: Learning Direct Preference Optimization From Temporal Decay Perspective
(Shao et al., 2025).

D2PO: the log-ratio of a token counts less the later it comes, so that long answers do not win by their length.

    L = -log σ(β (s_γ(y_w) - s_γ(y_l))),    s_γ(y) = Σ_t γ^t log π(y_t)/π_ref(y_t),  t from 0

Differs from preference/dpo in γ. The authors' code counts t from 1, which is β γ instead of β.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.formulas.losses.aggregates import decayed
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.scores import token_log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="d2po", loss=Term(pairwise(logistic, part(decayed, x=token_log_ratio), beta=0.1)))
