"""A General Theoretical Paradigm to Understand Learning from Human Preferences (Azar et al., 2023).

IPO: a squared loss with a finite target gap, so that deterministic preferences do not drive the policy to extremes.

    L = (s(y_w) - s(y_l) - 1/(2τ))²,    s(y) = log π(y|x)/π_ref(y|x) / |y|

Differs from preference/dpo in the link and in the mean over tokens, which the authors confirmed. Peers that sum
over tokens instead (OpenRLHF) compute another loss under the same name.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pair_targets import squared
from posttrain.formulas.losses.scores import mean_log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="ipo", loss=Term(pairwise(squared, mean_log_ratio, tau=0.1)))
