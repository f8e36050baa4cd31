"""Contrastive Preference Learning: Learning from Human Feedback without RL (Hejna et al., 2023).

CPL: people prefer what they would regret less, and the regret is in the log-probs of the optimal policy; no reward and
no reference. A segment is an answer.

    L = -log [e^{S_w} / (e^{S_w} + e^{λ S_l})],    S(y) = α Σ_t γ^t log π(y_t)

Differs from preference/cpo: discounting γ, and instead of the NLL the bias λ < 1, which also keeps both answers likely.
α is `beta`, λ is `bias`.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part
from posttrain.formulas.losses.aggregates import decayed
from posttrain.formulas.losses.pairs import biased_logistic
from posttrain.methods.preference.cpo import METHOD as CPO

SCORE = part(decayed, x="logp", gamma=1.0)

METHOD = variant(CPO, name="cpl", loss=Term(pairwise(biased_logistic, SCORE, beta=0.1, bias=0.5)))
