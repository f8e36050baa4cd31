"""Quark: Controllable Text Generation with Reinforced Unlearning (Lu et al., 2022).

Answers go into a pool that is sorted by reward and cut into K quantiles. The policy is trained on each answer after the
tag of its quantile, near the model of the start, and is then sampled with the tag of the best. The pool grows and is
sorted again, so that good answers become mediocre.

    L = mean_t [ -log π(y_t | x, q, y_<t) + β KL(π || π_0)_t - c H(π)_t ]

The KL is in the direction of the authors' code; the paper writes the other. Differs from it: a tag is a few words at
the end of the prompt instead of a new token, and π_0 reads it too; the coefficients do not adapt. They are set by
`settings: {kl.weight: 0.05, entropy.weight: 0.06}` of the stages.
"""

from __future__ import annotations

from posttrain.core.method import TOKEN_MEAN, Term, variant
from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.penalties import minus_entropy, reverse_kl
from posttrain.formulas.losses.scores import nll
from posttrain.methods.imitation.sft import METHOD as SFT
from posttrain.records import Episode, Record
from posttrain.selection.answers import dataset, demonstrations, quantiles, with_prompts
from posttrain.selection.prompts import asking, part_of, prompts_of
from posttrain.training.session import NO_OPTIONS, Options, Session

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
    sft: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: sample with the best tag (at first without) -> sort the whole pool -> train on it with its tags.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        levels: K, quantiles that the pool is cut into; at least 1, 5 in the authors' code.
        tag: text at the end of the prompt; any, where {quantile} is the number of the quantile, K for the best.
        sft: options of every stage: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    pool: list[Episode] = []
    session.copy("policy", "reference")
    tags = [tag.replace("{quantile}", str(levels - i)) for i in range(levels)]
    for n in range(1, rounds + 1):
        asked = prompts_of(part_of(prompts, n - 1, prompts_per_round))
        tagged = asked if n == 1 else asking(asked, tags[0])
        pool += with_prompts(session.collect(f"round-{n}", tagged, session.sampling(samples=4)), asked)
        trained: list[Record] = []
        for text, part in zip(tags, quantiles(pool, levels), strict=True):
            trained += demonstrations(with_prompts(part, asking((r.prompt for r in part), text)))
        metrics = session.train(QUARK, dataset(trained, f"round {n}"), rewards=(), **sft)
    return metrics
