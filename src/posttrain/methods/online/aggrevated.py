"""Learning to Generate Better Than Your LLM (Chang et al., 2023).

AggreVaTeD: the policy begins an answer and a guide finishes it, so that each token of the policy is judged by how well
the guide would go on from it: one step of improvement over the guide.

    y_<h ~ π,   y_>=h ~ π_guide,   h uniform in 1 ... T-1,    A_t = Q^guide(s_t, y_t) - V^guide(s_t)

L is PPO's over the tokens t < h. Differs from online/ppo in who finishes β of the answers (`share`); with β = 0 it is
online/ppo. The guide is `models.guide`, else the policy as it was before the first step. The critic is called
`guide_critic`, since it values the guide. The idea is Sun et al.'s (2017), for policies that are differentiated.
"""

from posttrain.core.guide import END, Guide
from posttrain.core.method import Sampling, Stream, variant
from posttrain.core.vocabulary import head
from posttrain.formulas.guides import random_cut
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="aggrevated",
    streams=Stream("prompts", (Sampling(guide=Guide(random_cut, writes=END)),)),
    fields=head("value", "guide_critic", "value", "value of the guide"),
)
