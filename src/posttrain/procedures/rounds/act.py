"""Grounding Large Language Models in Interactive Environments with Online Reinforcement Learning (Carta et al., 2023).

A policy over the actions that the run file's `environment` lists (`choices()`): rounds of episodes, in which it takes
each action with the probability that the model gives to its text, and PPO on the decisions.

    π(a | s) = softmax_i 1/n_i Σ_t log p(w_t of a_i | s, w_<t)

`method: online/glam` sums (n = 1), `online/twosome` (Tan et al., 2024) takes the mean over words. Every decision of a
round is in one step, because credit runs along whole episodes; `then: {settings: {minibatches: 8}}` divides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from posttrain.data.dataset import Dataset
from posttrain.data.kinds.decisions import Decision
from posttrain.errors import ConfigError, DataError
from posttrain.records import Record
from posttrain.selection.prompts import part_of
from posttrain.training.acting import normalisation
from posttrain.training.session import NO_OPTIONS, Options, Session


def act(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 100,
    prompts_per_round: int | None = 16,
    samples: int = 4,
    method: str = "online/twosome",
    normalise: Literal["sum", "token", "word"] | None = None,
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: play episodes by choosing among actions -> PPO on the decisions.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: tasks of a round, taken in turn; at least 1, null takes all of them in every round.
        samples: episodes of each task in a round; at least 1.
        method: name of the method of a round; online/glam, online/twosome, or any other that reads decisions.
        normalise: name of what divides the score of an action: sum (nothing), token or word; null is the method's own.
        then: options of the stage of every round: keys of `train` but prompts_per_step, and `settings` of its method.
    """
    if "prompts_per_step" in then:
        raise ConfigError("then.prompts_per_step: a step takes all decisions of a round; set prompts_per_round")
    metrics: dict[str, float] = {}
    own = {**then.get("settings", {}), **({} if normalise is None else {"normalise": normalise})}
    by = normalisation(method, own, session.run.file.base)
    for n in range(1, rounds + 1):
        made = session.act(f"round-{n}", part_of(prompts, n - 1, prompts_per_round), samples=samples, by=by)
        if not made:
            raise DataError(f"round {n}: no episode came to a decision; look at what the environment does in `reset`")
        data = Dataset(cast("tuple[Record, ...]", tuple(made)), f"round {n}")
        options = {"steps": 1, **then, "settings": own, "prompts_per_step": len(made)}
        metrics = {**session.train(method, data, rewards=(), **options), "return": mean_return(made)}
        session.note(f"round {n}: {len(made)} decisions, mean return {metrics['return']:.3f}")
    return metrics


def mean_return(decisions: Sequence[Decision]) -> float:
    """Return the mean over the episodes of the rewards of their decisions."""
    return sum(d.reward for d in decisions) / len({d.episode for d in decisions})
