"""Reinforced Self-Training (ReST) for Language Modeling (Gulcehre et al., 2023).

Grow: sample a data set from the policy once. Improve: fine-tune on the answers above a threshold, then on those above a
higher one, each time from the model before and with a smaller learning rate. Then grow again.

    D_g = {(x, y): y ~ π}        Improve i:  min E_{D_g} [ 1[r(x, y) > τ_i] · -log π(y | x) ],   τ_1 < τ_2 < ...

Whole answers are filtered; no token has a reward of its own. One Improve step with τ = -inf is SFT on own samples.
Demonstrations, if there are any, join every step. A threshold that no answer exceeds ends the Improve steps, where the
paper watches a held-out reward.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.methods.imitation.sft import METHOD as SFT
from posttrain.procedures.learning_rate import with_scaled_rate
from posttrain.selection.answers import above, dataset, quantile
from posttrain.selection.answers import demonstrations as as_demonstrations
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def rest(
    session: Session,
    prompts: Dataset,
    demonstrations: Dataset | None = None,
    *,
    grow: int = 2,
    prompts_per_round: int | None = None,
    thresholds: tuple[float, ...] = (0.0, 0.7, 0.9),
    quantiles: bool = False,
    decay: float = 0.5,
    sft: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Grow steps of: sample 8 answers to each prompt -> Improve steps of SFT on those above rising thresholds.

    Settings:
        grow: number of Grow steps; at least 1, 1 to 3 in the paper.
        prompts_per_round: prompts of a Grow step, taken in turn; at least 1, null takes all of them in every step.
        thresholds: τ_1, τ_2, ..., one for each Improve step; any rewards, or with `quantiles` shares from 0 to 1.
        quantiles: true takes the thresholds as shares of the answers to drop, false as rewards.
        decay: factor of the learning rate from one Improve step to the next; above 0 and at most 1 (no decay).
        sft: options of every SFT stage: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    for g in range(1, grow + 1):
        asked = part_of(prompts, g - 1, prompts_per_round)
        grown = session.collect(f"grow-{g}", asked, session.sampling(samples=8))
        for i, t in enumerate(sorted(thresholds)):
            kept = above(grown, quantile(grown, t) if quantiles else t)
            if not kept and i > 0:
                break
            own = dataset(as_demonstrations(kept), f"grow {g}, improve {i + 1}")
            trained = Dataset((*own, *(demonstrations or ())), own.name)
            metrics = session.train(
                "imitation/sft", trained, rewards=(), **with_scaled_rate(session, SFT, sft, decay**i)
            )
    return metrics
