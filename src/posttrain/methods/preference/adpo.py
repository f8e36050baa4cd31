"""Equilibrate RLHF: Towards Balancing Helpfulness-Safety Trade-off in Large Language Models (Tan et al., 2025).

ADPO, adaptive message-wise alignment where a reward model finds the segments that decide: those of the preferred answer
that raise its score, those of the rejected one that lower it.

    L = -log σ(β (Σ_t m_t ρ_t(y_w) - Σ_t m_t ρ_t(y_l))),    ρ_t = log π(y_t)/π_ref(y_t)
    m_t = 1[q_j > τ] in y_w,  1[q_j < -τ] in y_l,    q_j = the change of the reward over the segment j of t

Differs from preference/dpo in m, and from preference/ama in where m comes from: there the data say it, here the model
`reward`, with segments of `segment` tokens. The paper's rule for m is not known to us; this is the one that its text
suggests. Its other half, the mixture of safety data (explicit, implicit and mixed harm among general data), is
`data: {mix: [{path: explicit.jsonl, weight: 0.04}, ...]}`; the reward `refusals` measures over-refusal.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import part, pick
from posttrain.core.vocabulary import once
from posttrain.formulas.credit.segments import opposite, segment_gain
from posttrain.formulas.losses.aggregates import masked
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.scores import token_log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(
    DPO,
    name="adpo",
    fields={"prefix_reward": once("T", "score of the answer up to each token", "reward", "prefix_score")},
    derived={"gain": segment_gain},
    loss=Term(
        part(
            logistic,
            chosen=part(pick, score=part(masked, x=token_log_ratio, relevance="gain", threshold=0.0), column=0),
            rejected=part(pick, score=part(masked, x=token_log_ratio, relevance=opposite, threshold=0.0), column=1),
            beta=0.1,
        )
    ),
)
