"""MA-RLHF: Reinforcement Learning from Human Feedback with Macro Actions (Chai et al., 2024), by perplexity.

A macro action is a run of tokens that become less and less surprising to the reference.

    t_τ = the next t where π_ref(y_t | x, y_<t) < π_ref(y_{t-1} | x, y_<t-1)

Differs from online/ma_rlhf in where macro actions begin. The authors' code begins them one token earlier, at the last
token before the surprise.
"""

from posttrain.core.method import variant
from posttrain.formulas.credit.macro_actions import where_surprise_rises
from posttrain.methods.online.ma_rlhf import METHOD as MA_RLHF

METHOD = variant(MA_RLHF, name="ma_rlhf_surprise", derived=MA_RLHF.derived | {"macro": where_surprise_rises})
