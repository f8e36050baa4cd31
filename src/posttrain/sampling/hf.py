"""The slow way: `generate` of transformers, for models that the native engine refuses."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from posttrain.errors import ConfigError, ModelError
from posttrain.sampling.law import draw, truncated
from posttrain.sampling.request import NEVER, POLICY, Completion, Heard, Mix, Pause, Progress, Request


class HfEngine:
    """Samples from a plain model of transformers, `batch` left-padded prompts at a time. It says so with a warning.

    The same interface, laws and random numbers as the native engine; no mixtures.
    """

    def __init__(self, models: Mapping[str, Any], stop: frozenset[int], batch: int = 16) -> None:
        self.models, self.stop, self.batch = models, stop, batch
        warnings.warn("sampling through transformers' generate, which is slow", stacklevel=2)

    @torch.no_grad()
    def generate(
        self,
        requests: Sequence[Request],
        mix: Mix = POLICY,
        progress: Progress | None = None,
        *,
        pause: Pause = NEVER,
        heard: Heard | None = None,
    ) -> list[Completion]:
        """One completion for each request, in their order. ConfigError for a mixture or an answer that is begun or
        to be suspended, ModelError for the context."""
        if pause != NEVER or any(r.begun.tokens for r in requests):
            raise ConfigError("sampling through transformers cannot suspend answers; the native engine can")
        if len(mix) != 1 or mix[0][0] not in self.models:
            raise ConfigError(f"sampling through transformers knows one of {', '.join(self.models)}, not {mix}")
        model = self.models[mix[0][0]]
        _check(requests, getattr(model.config.get_text_config(), "max_position_embeddings", None))
        longest_first = sorted(range(len(requests)), key=lambda i: -len(requests[i].prompt))
        order, done = iter(longest_first), dict[int, Completion]()
        while numbers := list(islice(order, self.batch)):
            completions = self._batch(model, [requests[i] for i in numbers])
            done |= dict(zip(numbers, completions, strict=True))
            if heard is not None:
                for i in numbers:
                    heard(i, done[i])
            if progress is not None:
                progress(len(done), len(requests))
        return [done[i] for i in range(len(requests))]

    def _batch(self, model: Any, requests: Sequence[Request]) -> list[Completion]:
        width, filler = max(len(r.prompt) for r in requests), min(self.stop, default=0)
        padded = [(filler,) * (width - len(r.prompt)) + r.prompt for r in requests]
        mask = [[0] * (width - len(r.prompt)) + [1] * len(r.prompt) for r in requests]
        chooser = _Chooser(requests, width)
        model.generate(
            torch.tensor(padded, device=model.device),
            attention_mask=torch.tensor(mask, device=model.device),
            logits_processor=[chooser],
            max_new_tokens=max(r.max_tokens for r in requests),
            do_sample=False,
            num_beams=1,
            eos_token_id=sorted(self.stop) or None,
            pad_token_id=filler,
        )
        return [chooser.completion(row, self.stop) for row in range(len(requests))]


class _Chooser:
    """A logits processor that draws the token itself and leaves `generate` no other."""

    def __init__(self, requests: Sequence[Request], width: int) -> None:
        self.requests, self.width = requests, width
        self.temperature = torch.tensor([r.temperature for r in requests], dtype=torch.float64)
        self.top_k = torch.tensor([r.top_k for r in requests])
        self.top_p = torch.tensor([r.top_p for r in requests], dtype=torch.float64)
        seeds = (torch.Generator().manual_seed(r.seed) for r in requests)
        drawn = [
            torch.rand(r.max_tokens, dtype=torch.float64, generator=g) for r, g in zip(requests, seeds, strict=True)
        ]
        self.uniforms = torch.nn.utils.rnn.pad_sequence(drawn, batch_first=True)
        self.steps: list[tuple[list[int], list[float]]] = []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        wide = scores.to(torch.promote_types(scores.dtype, torch.float32))
        settings = (x.to(scores.device) for x in (self.temperature, self.top_k, self.top_p))
        uniform = self.uniforms[:, input_ids.shape[1] - self.width].to(scores.device)
        tokens, logp = draw(truncated(wide, *settings), uniform)
        self.steps.append((tokens.tolist(), logp.tolist()))
        return torch.full_like(scores, -torch.inf).scatter_(1, tokens[:, None], 0)

    def completion(self, row: int, stop: frozenset[int]) -> Completion:
        tokens, logp = [], []
        for drawn, values in self.steps[: self.requests[row].max_tokens]:
            tokens.append(drawn[row])
            logp.append(values[row])
            if tokens[-1] in stop:
                break
        versions = (self.requests[row].version,) * len(tokens)
        return Completion(tuple(tokens), tuple(logp), tokens[-1] in stop, versions)


def _check(requests: Sequence[Request], context: int | None) -> None:
    for number, request in enumerate(requests):
        length = len(request.prompt) + request.max_tokens
        if context is not None and length > context:
            raise ModelError(
                f"request {number}: prompt and max_tokens take {length} tokens and the model's context is {context}"
            )
