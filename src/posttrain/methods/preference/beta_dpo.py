"""β-DPO: Direct Preference Optimization with Dynamic β (Wu et al., 2024).

Steps whose pairs lie far apart get a larger β, and pairs that are unusually close or far apart are left out.

    L = -1/|K| Σ_{i in K} log σ(β M_i),    β = max(0.001, β₀ (1 + a (mean M over K - M₀))),    M = s(y_w) - s(y_l)
    K drawn without replacement, P ∝ exp(-(M - M₀)²/(2ς²)),    M₀, ς moving averages of mean and standard deviation

Differs from preference/dpo in `beta` and `kept`, which belong to the whole optimiser step. As in the authors' code M
has no factor β₀, and M₀ and ς include the step itself. a is `strength`, 1 - |K|/n is `dropped`.
"""

from posttrain.core.method import Derived, Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.credit.pairs import gap_beta, gap_std_ema, kept_pairs, mean_gap_ema
from posttrain.formulas.losses.pairs import kept_logistic
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(
    DPO,
    name="beta_dpo",
    derived={
        "mean_gap": Derived(pairwise(mean_gap_ema, log_ratio), each="step"),
        "spread": Derived(pairwise(gap_std_ema, log_ratio), each="step"),
        "kept": Derived(pairwise(kept_pairs, log_ratio), each="step"),
        "beta": Derived(pairwise(gap_beta, log_ratio, beta=0.1), each="step"),
    },
    loss=Term(pairwise(kept_logistic, log_ratio)),
)
