"""MA-RLHF: Reinforcement Learning from Human Feedback with Macro Actions (Chai et al., 2024), of random lengths.

The lengths of an answer's macro actions are drawn from 1, 2, 3, 5 and 10 tokens.

    k_1, k_2, ... = a random order of the lengths, each `repeats` times;    what is left over is one macro action

Differs from online/ma_rlhf in where macro actions begin. The order depends on the
seed of the step and the answer alone.
"""

from posttrain.core.method import variant
from posttrain.formulas.credit.macro_actions import drawn_lengths
from posttrain.methods.online.ma_rlhf import METHOD as MA_RLHF

METHOD = variant(MA_RLHF, name="ma_rlhf_random", derived=MA_RLHF.derived | {"macro": drawn_lengths})
