"""What a reward model of a session says of answers, with one number for an ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from posttrain.core.maths.members import AGGREGATES
from posttrain.core.vocabulary import Source, When
from posttrain.data.collate import collate
from posttrain.errors import ConfigError, suggestion
from posttrain.training.role_rewards import REWARD

if TYPE_CHECKING:
    from torch import Tensor

    from posttrain.records import Demonstration
    from posttrain.training.session import Session


@dataclass(frozen=True)
class Proxy:
    """The reward model that a session has trained.

    `by` and `weight`: how members become one score (core/maths/members). Each member is centred and scaled on the same
    answers first, since scores are defined up to a constant.
    """

    session: Session
    centre: Tensor
    scale: Tensor
    by: str
    weight: float

    @classmethod
    def of(cls, session: Session, seen: Sequence[Demonstration], by: str = "mean", weight: float = 1.0) -> Proxy:
        """Make the proxy; its scores have mean 0 and deviation 1 over `seen`. ConfigError for an unknown aggregate."""
        if by not in AGGREGATES:
            raise ConfigError(f"no aggregate {by!r}{suggestion(by, AGGREGATES)}; there are {', '.join(AGGREGATES)}")
        raw = numbers(session, seen)
        return cls(session, raw.mean(0), raw.std(0, correction=0).clamp_min(1e-6), by, weight)

    def __call__(self, answers: Sequence[Demonstration]) -> list[float]:
        """Return a score for each answer."""
        members = (numbers(self.session, answers) - self.centre) / self.scale
        return [float(x) for x in AGGREGATES[self.by](members, self.weight)]


def numbers(session: Session, answers: Sequence[Demonstration]) -> Tensor:
    """Return the scores of the members for each answer [N, M]; M is 1 of a reward model alone."""
    rows = [row for a in answers for row in session.run.encoder.rows(a, "demonstrations")]
    any_size = Source(REWARD, "score", When.ONCE, size=0)
    scores = session.run.learner.forward(collate(rows), {"score": any_size})["score"]
    return scores.double().reshape(len(rows), -1)
