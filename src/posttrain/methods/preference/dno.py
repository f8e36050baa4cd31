"""Direct Nash Optimization: Teaching Language Models to Self-Improve with General Preferences (Rosset et al., 2024).

DNO: the value of an answer is how often it beats the current policy, so preferences need not come from any reward.

    L = -p log σ(z) - (1-p) log σ(-z),    z = η (s(y_1) - s(y_2)),    p = σ(r(y_1) - r(y_2)),    r(y) = P(y ≻ π_t)

Differs from preference/dpo in the soft label. `reward` is the win rate (columns chosen_reward, rejected_reward), the
reference is π_t of the round; the procedure dno samples the answers and averages their wins. With hard labels on pairs
far apart (DNO-Prct) it is DPO, round after round.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pair_targets import soft_logistic
from posttrain.formulas.losses.scores import log_ratio, row_reward
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="dno", loss=Term(pairwise(soft_logistic, log_ratio, reward=row_reward, eta=0.1)))
