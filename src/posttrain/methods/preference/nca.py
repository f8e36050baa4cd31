"""Noise Contrastive Alignment of Language Models with Explicit Rewards (Chen et al., 2024).

NCA, on pairs: each answer is told apart from samples of the reference, so that the likelihood of the preferred one does
not fall as it may under DPO.

    L = -log σ(r_w) - 1/2 log σ(-r_w) - 1/2 log σ(-r_l),    r = β log π(y)/π_ref(y)

Differs from preference/dpo in the link, which sees the two log-ratios and not only their difference.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pair_targets import noise_contrast
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="nca", loss=Term(pairwise(noise_contrast, log_ratio, beta=0.1)))
