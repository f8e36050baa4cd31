"""Quark: Controllable Text Generation with Reinforced Unlearning (Lu et al., 2022).

Answers go into a pool that is sorted by reward and cut into K quantiles. The policy learns each answer after the tag
of its quantile, near the model of the start, and is then sampled with the tag of the best. The pool grows and is
sorted anew, so that what was good becomes mediocre.

    L = mean_t [ -log π(y_t | x, q, y_<t) + β KL(π || π_0)_t - c H(π)_t ]

The KL is in the direction of the authors' code; the paper writes the other. Differs from it: a tag is a few words at
the end of the prompt instead of a new token, and π_0 reads it too; the coefficients do not adapt.

Settings: K `levels`; `tag` with {quantile}, K for the best; the weights are `settings: {kl.weight: 0.05}`.
"""

from __future__ import annotations

from posttrain.core.method import TOKEN_MEAN, Term, variant
from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.penalties import minus_entropy, reverse_kl
from posttrain.formulas.losses.scores import nll
from posttrain.methods.imitation.sft import METHOD as SFT
from posttrain.records import Record, Rollout
from posttrain.selection.answers import about, dataset, demonstrations, quantiles
from posttrain.selection.prompts import asking, part_of, prompts_of
from posttrain.training.session import NONE, Options, Session

QUARK = variant(
    SFT,
    name="quark",
    loss={
        "nll": Term(nll, reduce=TOKEN_MEAN),
        "kl": Term(reverse_kl, weight=0.05, reduce=TOKEN_MEAN),
        "entropy": Term(minus_entropy, weight=0.06, reduce=TOKEN_MEAN),
    },
)


def quark(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 3,
    prompts_per_round: int | None = None,
    levels: int = 5,
    tag: str = " (quality {quantile})",
    sft: Options = NONE,
) -> dict[str, float]:
    """Rounds of: sample with the best tag (at first with none) -> sort the whole pool -> learn it with its tags."""
    metrics: dict[str, float] = {}
    pool: list[Rollout] = []
    session.copy("policy", "reference")
    tags = [tag.replace("{quantile}", str(levels - i)) for i in range(levels)]
    for n in range(1, rounds + 1):
        asked = prompts_of(part_of(prompts, n - 1, prompts_per_round))
        tagged = asked if n == 1 else asking(asked, tags[0])
        pool += about(session.collect(f"round-{n}", tagged, session.how(samples=4)), asked)
        learnt: list[Record] = []
        for words, part in zip(tags, quantiles(pool, levels), strict=True):
            learnt += demonstrations(about(part, asking((r.prompt for r in part), words)))
        metrics = session.train(QUARK, dataset(learnt, f"round {n}"), rewards=(), **sft)
    return metrics
