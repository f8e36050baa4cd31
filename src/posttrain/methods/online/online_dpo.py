"""Direct Language Model Alignment from Online AI Feedback (Guo et al., 2024).

Online DPO: the pairs are the policy's own answers, the best and the worst to each prompt by a reward or a judge.

    L = -log σ(β (s(y_w) - s(y_l))),    y_w = argmax r(y_i),  y_l = argmin r(y_i),  y_1 ... y_K ~ π

Differs from preference/dpo in where the pairs come from. A prompt whose answers all have the same reward teaches
nothing.
"""

from posttrain.core.method import Sampling, Stream, variant
from posttrain.formulas.credit.pairs import best_and_worst
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(
    DPO,
    name="online_dpo",
    streams=Stream("prompts", (Sampling(samples=2),)),
    derived={"pairs": best_and_worst},
)
