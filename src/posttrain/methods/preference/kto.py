"""KTO: Model Alignment as Prospect Theoretic Optimization (Ethayarajh et al., 2024).

Answers with a thumbs up or down: a gain or a loss against a reference point, the policy's KL.

    L = λ_D (1 - σ(β(s(y) - z₀)))  desirable,   λ_U (1 - σ(β(z₀ - s(y))))  undesirable
    z₀ = max(0, mean s(y')),  y' the answers to other prompts of the batch, no gradient

The mismatched answers are a second stream. z₀ belongs to the whole optimiser step, not to a micro-batch.
"""

from posttrain.core.method import Derived, Method, Stream, Term
from posttrain.core.parts import part
from posttrain.formulas.losses.ratings import positive_mean_log_ratio, prospect, signed_accuracy
from posttrain.formulas.losses.scores import log_ratio
from posttrain.selection.views import mismatched

METHOD = Method(
    name="kto",
    streams={"main": Stream("ratings", least=2), "mismatched": Stream("ratings", view=mismatched)},
    derived={"reference_point": Derived(positive_mean_log_ratio, each="step", over="mismatched")},
    loss=Term(part(prospect, score=log_ratio)),
    metrics={"accuracy": part(signed_accuracy, score=log_ratio)},
)
