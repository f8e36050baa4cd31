"""Demonstrations first, then any method: what a model without training needs before it can be rewarded."""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError
from posttrain.training.session import NO_OPTIONS, Options, Session


def warm_start(
    session: Session,
    demonstrations: Dataset,
    prompts: Dataset | None = None,
    pairs: Dataset | None = None,
    ratings: Dataset | None = None,
    *,
    method: str,
    sft: Options = NO_OPTIONS,
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """SFT on the demonstrations, then `method` on the other records. The SFT model is the reference.

    Settings:
        method: name of the second method; any that reads the records given beside the demonstrations.
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
        then: options of the stage of `method`: any keys of `train`, and `settings` of its method.
    """
    given = [d for d in (prompts, pairs, ratings) if d is not None]
    if len(given) != 1:
        raise ConfigError("data: warm_start reads demonstrations and one of prompts, pairs, ratings")
    session.train("imitation/sft", demonstrations, rewards=(), **sft)
    session.evaluate_now("after sft")
    session.copy("policy", "reference")
    return session.train(method, given[0], **then)
