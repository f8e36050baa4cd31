"""The Perfect Blend: Redefining RLHF with Mixture of Judges (Xu et al., 2024): constrained online DPO.

CGPO's second optimiser: the best answer that no judge objects to is preferred to the worst one that a judge objects to.

    L = -log σ(β (s(y_w) - s(y_l))) - λ/|y_w| log π(y_w)

λ is `likelihood.weight`. Where no judge objects to any answer, y_l is the worst of all; where they object to all, the
prompt is skipped. `judges` and `cost` as in online/crpg. Differs from online/online_dpo in the choice of the pair and
in the likelihood of y_w.
"""

from posttrain.core.method import Sampling, Stream, Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.credit.judged import allowed_and_violating, harmless
from posttrain.formulas.losses.pairs import minus_first
from posttrain.formulas.losses.scores import mean_logp
from posttrain.methods.online.online_dpo import METHOD as ONLINE_DPO

METHOD = variant(
    ONLINE_DPO,
    name="codpo",
    streams=Stream("prompts", (Sampling(samples=4),)),
    derived={"allowed": harmless, "pairs": allowed_and_violating},
    loss={"preference": ONLINE_DPO.loss["loss"], "likelihood": Term(pairwise(minus_first, mean_logp), 0.2)},
)
