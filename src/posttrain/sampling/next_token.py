"""Where the scores of the next token come from: a geometric mixture of models, or a decoder.

Legend: S sequences, V vocabulary, D hidden width, K candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from posttrain.core.decoder import Decoder, role_of
from posttrain.errors import ModelError
from posttrain.models.kernels.elementwise import linear
from posttrain.models.network import Network
from posttrain.sampling.decoding import Decoding
from posttrain.sampling.request import Distribution

Scores = Callable[[Sequence[int], Sequence[int]], Tensor]  # newest tokens, their positions -> scores [S, V]


def scores_from(source: Distribution, decodings: Sequence[Decoding]) -> Scores:
    """How the next token is scored, by the models of `roles_of(source)`."""
    if isinstance(source, Decoder):
        return Decoded(source, dict(zip(source.roles, decodings, strict=True)))
    return Mixture(decodings, [weight for _, weight in source])


class Mixture:
    """The geometric mixture: a weighted sum of logits, since normalising each would only add a constant to a row."""

    def __init__(self, decodings: Sequence[Decoding], weights: Sequence[float]) -> None:
        self.decodings = decodings
        self.weights = weights

    def __call__(self, newest: Sequence[int], positions: Sequence[int]) -> Tensor:
        """Scores of the next token: [S, V]."""
        mixture: Tensor | None = None
        for decoding, weight in zip(self.decodings, self.weights, strict=True):
            logits = decoding.logits(newest, positions)
            weighted = logits if weight == 1 else weight * logits
            mixture = weighted if mixture is None else mixture + weighted
        assert mixture is not None
        return mixture


class Decoded:
    """The distribution that a decoder makes of what models say."""

    def __init__(self, decoder: Decoder, decodings: Mapping[str, Decoding]) -> None:
        self.decoder = decoder
        self.decodings = decodings
        device = next(iter(decodings.values())).network.device
        self.parts = {name: part.to(device) for name, part in decoder.parts.items()}

    def __call__(self, newest: Sequence[int], positions: Sequence[int]) -> Tensor:
        """Scores of the next token: [S, V]."""
        step = _Step(self.decodings, newest, positions, self._wants_states())
        read = {name: step.read(name) for name in self.decoder.reads if name not in self.parts}
        return self.decoder(**read, **self.parts)

    def _wants_states(self) -> set[str]:
        """The roles of which more than logits is read."""
        read = (name for name in self.decoder.reads if name not in self.parts)
        return {role_of(name) for name in read if role_of(name) != name}


class _Step:
    """What models say at one step. Each reads the newest tokens once."""

    def __init__(
        self, decodings: Mapping[str, Decoding], newest: Sequence[int], positions: Sequence[int], wanted: set[str]
    ) -> None:
        self.decodings = decodings
        self.positions = positions
        self.states = {role: decodings[role].states(newest, positions) for role in sorted(wanted)}
        others = [role for role in decodings if role not in wanted]
        self.logits = {role: decodings[role].logits(newest, positions) for role in others}

    def read(self, name: str) -> Any:
        """What a parameter of a decoder is filled with."""
        role = role_of(name)
        if role == name:
            return self.logits[role] if role in self.logits else self._readout(role, self.states[role])
        views: dict[str, Callable[[str], Any]] = {
            "states": self.states.__getitem__,
            "readout": lambda role: partial(self._readout, role),
            "value": lambda role: partial(value, role, self.decodings[role].network),
            "after": lambda role: partial(self._after, role),
        }
        return views[name.removeprefix(f"{role}_")](role)

    def _readout(self, role: str, states: Tensor) -> Tensor:
        return self.decodings[role].network.logits(states, linear)

    def _after(self, role: str, candidates: Tensor) -> Tensor:
        """A number behind each candidate: [S, K] -> [S, K]. What a candidate leaves in the cache is overwritten."""
        decoding, next_positions = self.decodings[role], [p + 1 for p in self.positions]
        states = [decoding.states(tokens, next_positions) for tokens in candidates.T.tolist()]
        return torch.stack([value(role, decoding.network, s) for s in states], -1)


def value(role: str, network: Network, states: Tensor) -> Tensor:
    """What the value head of a model, else its score head, says of states: [S, D] -> [S]. ModelError without either."""
    for name in ("value", "score"):
        if name in getattr(network, "heads", ()):
            return network.head(name, states)
    raise ModelError(
        f"the decoder reads a value of the model {role!r}, which has neither a value head nor a score head; train one "
        "with reward/bradley_terry or a critic, and name the folder of its model"
    )
