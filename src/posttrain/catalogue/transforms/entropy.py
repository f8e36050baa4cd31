"""A bonus for entropy in any method: `method: {path: online/grpo, entropy: bonus}` or `entropy: target`.

    bonus:  L - c H               c is `entropy.weight`
    target: L - α H               α grows while the entropy is below `target` and is 0 above it (Skywork-OR1)

H is the entropy of the policy at the trained tokens, from the forward pass of the loss. The bonus is a mean over tokens
whatever the reduction of the other terms, so that its weight means the same in every method.
"""

from __future__ import annotations

from posttrain.core.method import MAIN, TOKEN_MEAN, Method, Term, variant
from posttrain.core.parts import PartError
from posttrain.errors import suggestion
from posttrain.formulas.credit.controllers import adaptive_entropy
from posttrain.formulas.losses.penalties import minus_entropy

KINDS = ("bonus", "target")
USUAL = 0.001  # TRL's and verl's examples lie between 0.001 and 0.01


def with_entropy(method: Method, kind: str) -> Method:
    """Return the method with the bonus. Raises PartError for an unknown kind and where there is nothing to measure."""
    if kind not in KINDS:
        raise PartError(
            f"method.entropy: no kind {kind!r}{suggestion(str(kind), KINDS)}; there are {', '.join(KINDS)}, and the "
            "number is entropy.weight or adaptive_entropy.target"
        )
    if "entropy" in method.loss:
        raise PartError(f"method.entropy={kind}: {method.name} has a term 'entropy' already; set its own settings")
    if kind == "bonus":
        return variant(method, loss=method.loss | {"entropy": Term(minus_entropy, USUAL, TOKEN_MEAN)})
    if not method.streams[MAIN].kind.sampled:
        raise PartError(
            f"method.entropy=target: {method.name} learns from records, and the target is compared with the entropy of "
            "sampled answers; take entropy: bonus"
        )
    return variant(
        method,
        loss=method.loss | {"entropy": Term(minus_entropy, "entropy_weight", TOKEN_MEAN)},
        derived=method.derived | {"entropy_weight": adaptive_entropy},
    )
