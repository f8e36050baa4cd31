"""Self-Play Preference Optimization for Language Model Alignment (Wu et al., 2024).

SPPO, with hard labels: the log-ratio of each answer is regressed on how much more often than half of the time it wins.

    L = (s(y_w) - 1/(2β))² + (s(y_l) + 1/(2β))²

Differs from preference/ipo: each log-ratio has its own target, 1/η (P - 1/2) with P = 1 and 0, β = η. The pairs are the
policy's own, judged round after round, the reference its state at the start of the round.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pair_targets import self_play
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="sppo", loss=Term(pairwise(self_play, log_ratio, beta=0.1)))
