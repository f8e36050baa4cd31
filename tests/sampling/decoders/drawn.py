"""What a decoder draws, and what its distribution is by the forward pass of training."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from posttrain.core.rows import Rows
from posttrain.models.network import Network
from posttrain.sampling.engine import Engine
from posttrain.sampling.request import Completion, Request
from tests.models.tiny import VOCABULARY


def requests(count: int = 4, **settings: object) -> list[Request]:
    generator = random.Random(0)
    options = {"max_tokens": 5} | settings
    return [
        Request(tuple(generator.randrange(3, VOCABULARY) for _ in range(generator.randrange(2, 9))), seed=i, **options)
        for i in range(count)
    ]


def drawn(networks: dict[str, Network], source: object, asked: Sequence[Request]) -> list[Completion]:
    return Engine(networks, frozenset(), slots=3).generate(asked, source)


def outputs(network: Network, tokens: Sequence[int], *names: str) -> list[Tensor]:
    """Outputs of the forward pass of training for one row."""
    rows = Rows(torch.zeros(len(tokens), dtype=torch.long), torch.ones(len(tokens), dtype=torch.bool), 1)
    with torch.no_grad():
        made = network.outputs(torch.tensor(tokens), rows, names)
    return [made[name] for name in names]


def logits(network: Network, request: Request, completion: Completion) -> Tensor:
    """The logits that each token of an answer was predicted from: [T, V]."""
    return outputs(network, request.prompt + completion.tokens, "logits")[0][len(request.prompt) :]


def check(
    asked: Sequence[Request], made: Sequence[Completion], scores: Callable[[Request, Completion], Tensor]
) -> None:
    """The log-prob that was recorded for each token is that of softmax(scores / temperature)."""
    for request, completion in zip(asked, made, strict=True):
        log_p = (scores(request, completion) / request.temperature).log_softmax(-1)
        expected = log_p[torch.arange(len(log_p)), list(completion.tokens)].tolist()
        assert completion.logp == pytest.approx(expected, abs=1e-9)
