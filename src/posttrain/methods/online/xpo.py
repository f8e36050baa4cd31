"""Exploratory Preference Optimization: Harnessing Implicit Q*-Approximation for Sample-Efficient RLHF
(Xie et al., 2024).

XPO: one answer is sampled from the policy, the other from the reference, and the likelihood of the latter is pushed
down, so that the policy explores where the reference does not.

    L = -log σ(β (s(y_w) - s(y_l))) + α log π(y'),    {y_w, y_l} = {y ~ π, y' ~ π_ref}

Differs from online/online_dpo in the second sampler and in the second term (`exploration.weight` = α, about 1e-5, which
should fall over the rounds; where it is too large, log π(y') diverges). Only the current batch counts, where the paper
keeps all rounds. The second term also counts the prompts that give no pair. Without them it would favour common
answers. With several answers of each, a prompt's pair is the one of both models whose rewards are farthest apart.
"""

from posttrain.core.method import Sampling, Stream, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.pairs import best_against_other_author, second_author
from posttrain.formulas.losses.scores import sum_logp, times_row_weight
from posttrain.methods.online.online_dpo import METHOD as ONLINE_DPO

METHOD = variant(
    ONLINE_DPO,
    name="xpo",
    streams=Stream("prompts", (Sampling(), Sampling(mix=(("reference", 1.0),)))),
    derived={"pairs": best_against_other_author, "row_weight": second_author},
    loss={
        "preference": ONLINE_DPO.loss["loss"],
        "exploration": Term(part(times_row_weight, score=sum_logp), 1e-5),
    },
)
