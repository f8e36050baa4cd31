"""A Survey on Self-Evolution of Large Language Models (Tao et al., 2024): a gate in front of every round.

A policy that learns from its own answers may get worse without noticing. A round is accepted only if the score on
held-out data rises; otherwise it is taken back, and the next round begins where the last accepted one ended.

    π_best ← π_t if score(π_t) > score(π_best)        π_t ← π_best otherwise
"""

from __future__ import annotations

from typing import Literal

from posttrain.errors import ConfigError
from posttrain.training.session import Session

Accept = Literal["always", "better"]


class Gate:
    """Accepts rounds or takes them back. The score is the mean reward on the data of `evaluate`."""

    def __init__(self, session: Session, accept: Accept) -> None:
        self.session = session
        self.closed = accept == "better"
        if self.closed:
            self.best = self._score("before the rounds")
            session.copy("policy", "accepted")

    def judge(self, n: int) -> None:
        """Accept round `n`, or give the policy its weights of before. Raises ConfigError if nothing is held out."""
        if not self.closed:
            return
        score = self._score(f"after round {n}")
        if score > self.best:
            self.best = score
            self.session.copy("policy", "accepted")
        else:
            self.session.copy("accepted", "policy")
            self.session.note(f"round {n} is taken back: {score:.4g} on held-out data is not above {self.best:.4g}")

    def _score(self, name: str) -> float:
        made = self.session.evaluate_now(name)
        if made is None:
            raise ConfigError("accept: better needs the score of held-out data: set `evaluate: {data: ...}`")
        return made.reward
