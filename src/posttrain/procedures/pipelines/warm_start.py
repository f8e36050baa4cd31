"""Demonstrations first, then any method: what a model that starts from nothing needs before it can be rewarded."""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError
from posttrain.training.session import NONE, Options, Session


def warm_start(
    session: Session,
    demonstrations: Dataset,
    prompts: Dataset | None = None,
    pairs: Dataset | None = None,
    ratings: Dataset | None = None,
    *,
    method: str,
    sft: Options = NONE,
    then: Options = NONE,
) -> dict[str, float]:
    """SFT on the demonstrations, then `method` on the other records. The SFT model is the reference."""
    given = [d for d in (prompts, pairs, ratings) if d is not None]
    if len(given) != 1:
        raise ConfigError("data: warm_start reads demonstrations and one of prompts, pairs, ratings")
    session.train("imitation/sft", demonstrations, rewards=(), **sft)
    session.evaluate_now("after sft")
    session.copy("policy", "reference")
    return session.train(method, given[0], **then)
