"""ESRL: Efficient Sampling-based Reinforcement Learning for Sequence Generation (Wang et al., 2023).

Dynamic sampling: the more capable the model, the fewer samples it needs. Before each round one answer to each prompt
tells how sure the model is, and that sets the number of samples and their temperature.

    c = mean over answers of (Π_t π(y_t))^(1/T),    samples = K - round(c (K - k)),    temperature = τ_0 + c (τ_1 - τ_0)

The policy is trained by online/esrl, whose queue of rewards starts anew in each round. Our reading: the paper says that
capability sets both numbers, and its code measures it by probabilities of tokens in another way.
"""

from __future__ import annotations

from posttrain.core.method import Sampling, Stream, variant
from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError
from posttrain.methods.online.esrl import METHOD as ESRL
from posttrain.selection.answers import confidence, dataset
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def esrl(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 4,
    prompts_per_round: int | None = None,
    least: int = 1,
    most: int = 8,
    cold: float = 1.0,
    warm: float = 1.0,
    training: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: how sure is the model? -> fewer or more samples -> policy gradient on them.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all in every round.
        least: k, samples of a model that is quite sure; at least 1.
        most: K, samples of a model that knows nothing; at least 1 and not below `least`.
        cold: τ_0, temperature of a model that knows nothing; above 0, 1 is the model's own distribution.
        warm: τ_1, temperature of a model that is quite sure; above 0, more than `cold` keeps it exploring.
        training: options of every round: any keys of `train`, and `settings` of its method.
    """
    given = session.run.file.sampling
    if given.samples is not None or given.temperature is not None:
        raise ConfigError("sampling: esrl sets samples and temperature; remove them, or set procedure.most and .cold")
    metrics: dict[str, float] = {}
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        sure = confidence(session.collect(f"round-{n}", asked, Sampling(), rewards=()))
        author = Sampling(samples=most - round(sure * (most - least)), temperature=cold + sure * (warm - cold))
        method = variant(ESRL, streams=Stream("prompts", (author,)))
        (drawn,) = method.streams["main"].sampling
        session.note(f"round {n}: {drawn.samples} samples at temperature {drawn.temperature:.3g}")
        metrics = session.train(method, dataset(asked, f"round {n}"), **training)
    return metrics
