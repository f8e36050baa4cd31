"""A language model as transformers wrote it, for architectures that cannot run on flat tokens.

Legend: T tokens of all rows end to end, N chosen tokens, B rows of a block, L tokens of the longest, D hidden width,
V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from posttrain.core.tensors import Rows
from posttrain.models.attention import Layout
from posttrain.models.kernels.padded_blocks import Blocks, similar
from posttrain.models.logprobs import TILE
from posttrain.models.network import Network
from posttrain.models.prefixes import Reading, apart

Choose = Callable[[Tensor, Tensor], Tensor]  # (tokens [B, n], scores [B, V])


class Padded(Network):
    """The same outputs from rows side by side, with the trunk's own attention, scales and caps of the logits included.

    Rows of similar length share a block and are padded on the right. That needs no mask: a causal model looks to the
    left only, through attention or through a state.
    """

    flat = False
    cached = True  # `generate` keeps what it has read; else it reads all again for every token

    def states(self, tokens: Tensor, layout: Layout) -> Tensor:
        """Hidden state after each token of whole rows: [T] -> [T, D]."""
        starts = (layout.positions == 0).nonzero()[:, 0].cpu()
        sizes = starts.diff(append=torch.tensor([len(tokens)]))
        blocks, decoder = Blocks(starts, sizes, similar(sizes.tolist())), self.trunk.get_decoder()
        outputs = [decoder(input_ids=tokens[grid.to(tokens.device)], use_cache=False) for grid in blocks.grids]
        return torch.cat([o[0].flatten(0, 1) for o in outputs])[blocks.back.to(tokens.device)]

    def logits(self, states: Tensor, multiply: Callable[..., Tensor] = F.linear) -> Tensor:  # noqa: ARG002
        """Scores of the next token, scaled and capped as the trunk does it: [N, D] -> [N, V]."""
        ignored = torch.zeros(1, len(states), dtype=torch.long, device=states.device)
        with _answering(self.trunk.get_decoder(), states[None]):
            logits: Tensor = self.trunk(input_ids=ignored, use_cache=False).logits[0, :, : self.words]
        return logits.to(torch.promote_types(logits.dtype, torch.float32))

    @torch.no_grad()
    def generate(self, tokens: Tensor, count: int, choose: Choose, done: Choose) -> None:
        """At most `count` more tokens of each row of tokens [B, L], through `generate` of transformers in eval() mode.

        After n tokens `choose` makes of tokens [B, n] and scores [B, V] those of which the best is taken; `done` says
        which rows need no more: [B]. What the model's author asks of every sample (penalties, ends) is left out.
        """
        from transformers import GenerationConfig

        # Modules that keep their states would take a beginning of one token for the next one of what they read last.
        cached = self.cached and tokens.shape[1] > 1
        plain = GenerationConfig(max_new_tokens=count, do_sample=False, use_cache=cached)
        training, authors = self.training, self.trunk.generation_config
        self.eval().trunk.generation_config = GenerationConfig()  # what is not set above would come from there
        try:
            self.trunk.generate(
                tokens,
                attention_mask=torch.ones_like(tokens),
                generation_config=plain,
                logits_processor=[choose],
                stopping_criteria=[done],
            )
        finally:
            self.train(training).trunk.generation_config = authors

    def __getstate__(self) -> object:
        """What is copied: not the states that modules keep of their last pass, which are part of its graph."""
        for module in self.trunk.modules():
            for name in [n for n, x in vars(module).items() if isinstance(x, Tensor) and x.grad_fn is not None]:
                setattr(module, name, None)
        return super().__getstate__()  # type: ignore[no-untyped-call]

    def _reading(self, tokens: Tensor, written: Rows) -> Reading:  # noqa: ARG002
        return apart(written)

    def _laws(self, before: Tensor, targets: Tensor, tau: Tensor, want_entropy: bool) -> tuple[Tensor, Tensor | None]:
        """A few tokens at a time: the logits of all of them are never there, the backward pass makes them again."""
        size = max(1, TILE // self.vocabulary)
        law = partial(checkpoint, self._law, use_reentrant=False, preserve_rng_state=False)
        chunks = zip(*(torch.split(x, size) for x in (before, targets, tau.expand(len(before)))), strict=True)
        logp, entropy = (torch.cat(x) for x in zip(*[law(*chunk, want_entropy) for chunk in chunks], strict=True))
        return logp, entropy if want_entropy else None

    def _law(self, before: Tensor, targets: Tensor, tau: Tensor, want_entropy: bool) -> tuple[Tensor, Tensor]:
        law = (self.logits(before) / tau[:, None]).log_softmax(-1)
        entropy = -(law.exp() * law).sum(-1) if want_entropy else torch.zeros_like(tau)
        return law.gather(1, targets[:, None])[:, 0], entropy


@contextmanager
def _answering(decoder: Any, states: Tensor) -> Iterator[None]:
    """Inside, the decoder answers with these states, so that its model only makes the logits."""
    decoder.forward = lambda *_, **__: _Answer(states)
    try:
        yield
    finally:
        del decoder.forward


class _Answer:
    """Output of a decoder of any kind: its states, and None in whatever other field is read."""

    def __init__(self, states: Tensor) -> None:
        self.last_hidden_state = states

    def __getitem__(self, index: Any) -> Any:
        return (self.last_hidden_state,)[index]

    def __getattr__(self, name: str) -> None:
        return None
