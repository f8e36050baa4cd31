"""Self-critical Sequence Training for Image Captioning (Rennie et al., 2017).

SCST: REINFORCE whose baseline is the reward of the model's own greedy answer, so that what beats the answer that a user
would get becomes more probable.

    L = -(R(y) - R(ŷ)) Σ_t log π(y_t),    ŷ = the greedy answer to the same prompt

Differs from online/remax in the reward, which has no KL penalty: no reference is loaded. An answer that is the greedy
one teaches nothing.
"""

from posttrain.core.method import variant
from posttrain.formulas.credit.shaping import terminal
from posttrain.methods.online.remax import METHOD as REMAX

METHOD = variant(REMAX, name="scst", derived=REMAX.derived | {"token_reward": terminal})
