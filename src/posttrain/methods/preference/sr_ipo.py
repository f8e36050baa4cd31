"""Direct Alignment of Language Models via Quality-Aware Self-Refinement (Yu et al., 2024), its IPO.

Sr-IPO: the finite target of IPO, further away by a share of how far apart the answers are in quality.

    L = (s(y_w) - s(y_l) - λ Δ - 1/(2τ))²,    s(y) = log π(y|x)/π_ref(y|x) / |y|

Differs from preference/ipo in the margin, which has no gradient. Δ is the column `margin` of the pair, as for
preference/sr_dpo, but of means over tokens; the procedure sr_dpo computes it with `per_token: true`. λ is `weight`. The
paper spells out Sr-DPO alone; the place of Δ is ours.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part, pick
from posttrain.formulas.losses.pair_targets import margin_squared
from posttrain.formulas.losses.scores import mean_log_ratio
from posttrain.methods.preference.ipo import METHOD as IPO

MARGIN = part(pick, score="margin", column=0)
METHOD = variant(
    IPO, name="sr_ipo", loss=Term(pairwise(margin_squared, mean_log_ratio, chosen_margin=MARGIN, tau=0.1, weight=0.1))
)
