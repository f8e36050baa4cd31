"""MA-RLHF: Reinforcement Learning from Human Feedback with Macro Actions (Chai et al., 2024), by phrases.

A macro action is a phrase. A reward of the name `phrases` says where phrases end: its numbers for spans of the text.

    t_τ = the next t where y_<t ends with a phrase

Differs from online/ma_rlhf in where macro actions begin. The reward that ships divides at punctuation; the paper takes
constituents of at most 5 tokens from a parser, which a function of yours can give as `Spans`. Give it the weight 0.
"""

from posttrain.core.method import variant
from posttrain.core.vocabulary import Field
from posttrain.formulas.credit.macro_actions import behind_each_mark
from posttrain.methods.online.ma_rlhf import METHOD as MA_RLHF

METHOD = variant(
    MA_RLHF,
    name="ma_rlhf_phrases",
    fields={"token_reward_phrases": Field("T", "number of the reward `phrases` at the last token of each phrase")},
    derived=MA_RLHF.derived | {"macro": behind_each_mark},
)
