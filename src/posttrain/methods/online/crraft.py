"""The Perfect Blend: Redefining RLHF with Mixture of Judges (Xu et al., 2024): constrained reward ranked finetuning.

CGPO's third optimiser: imitate the best answer to each prompt among those that no judge objects to and that the
reference does not find too unlikely.

    L = -σ(r(x, y*) - r(x, ȳ)) log π(y*),    y* = argmax r(x, y) over y ~ π with log(π/π_ref) <= KL_max, no objection

Where no answer of the policy qualifies, the reference's ȳ is imitated, if no judge objects to it, with the weight
σ(0) = 1/2; else the prompt is skipped. `judges` and `cost` as in online/crpg. Differs from procedure rounds/raft in
these and in that every batch is sampled by the latest policy.
"""

from posttrain.core.method import Sampling, Stream, Term, variant, without
from posttrain.core.parts import part
from posttrain.formulas.credit.judged import best_allowed
from posttrain.formulas.losses.scores import sum_logp, times_row_weight
from posttrain.methods.online.crpg import METHOD as CRPG

METHOD = variant(
    CRPG,
    name="crraft",
    streams=Stream("prompts", (Sampling(samples=4), Sampling(mix=(("reference", 1.0),)))),
    derived=without(CRPG.derived, "worth", "advantage") | {"row_weight": best_allowed},
    loss=Term(part(times_row_weight, score=sum_logp), -1.0),
)
