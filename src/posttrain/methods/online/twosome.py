"""True Knowledge Comes from Practice: Aligning LLMs with Embodied Environments via RL (Tan et al., 2024).

TWOSOME: GLAM with actions that do not lose by being long: the score of an action is the mean over its words or tokens.

    π(a | s) = softmax_i 1/n_i Σ_t log p(w_t of a_i | s, w_<t)

Differs from online/glam in `normalise` (word, as its runs have it, or token), in GAE's λ, in one pass instead of four,
and in that no further step is taken once the KL to the old policy is above `target_kl`. The paper trains LoRA adapters
and a critic on the frozen model: `models: {critic: {path: ..., trained: heads}}`. Its head is a linear layer here, and
has three layers in the paper. `procedure: act` plays the episodes and trains on them.
"""

from posttrain.core.method import Derived, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.choices import gae_over_choices
from posttrain.formulas.losses.choices import choice_kl, choice_logp, clipped_choice, minus_choice_entropy, too_far
from posttrain.methods.online.glam import METHOD as GLAM

BY_WORD = part(choice_logp, normalise="word")

METHOD = variant(
    GLAM,
    name="twosome",
    passes=1,
    until="too_far",
    derived=GLAM.derived
    | {
        "old_choice_logp": part(choice_logp, logp="old_logp", normalise="word"),
        "choice_credit": part(gae_over_choices, gamma=0.99, lam=0.95),
        "too_far": Derived(part(too_far, choice_logp=BY_WORD, target_kl=0.02), each="step"),
    },
    loss=GLAM.loss
    | {
        "policy": Term(part(clipped_choice, choice_logp=BY_WORD)),
        "entropy": Term(part(minus_choice_entropy, choice_logp=BY_WORD), 0.01),
    },
    metrics={"kl": Term(part(choice_kl, choice_logp=BY_WORD))},
)
