"""A language model with the forward pass of transformers, for architectures that cannot run on flat tokens.

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

from posttrain.core.rows import Rows
from posttrain.models.attention import Layout
from posttrain.models.kernels.padded_blocks import Blocks, group_similar
from posttrain.models.llama import Edit
from posttrain.models.logprobs import TILE
from posttrain.models.network import Network
from posttrain.models.prefixes import PackedRows, unshared

Choose = Callable[[Tensor, Tensor], Tensor]  # (tokens [B, n], scores [B, V])


class Padded(Network):
    """A network that runs on padded rows, with the trunk's own attention and its own scaling and capping of logits.

    Rows of similar length share a block and are padded on the right. That needs no mask, because a causal model looks
    to the left only, through attention or through a recurrent state.
    """

    flat = False
    cached = True  # `generate` uses a cache; without one it reads the whole sequence again for every token

    def states(self, tokens: Tensor, layout: Layout, edit: Edit | None = None) -> Tensor:
        """The hidden state after each token of whole rows: [T] -> [T, D]."""
        if edit is not None:
            self._check_edits(self.trunk.base_model)
        starts = (layout.positions == 0).nonzero()[:, 0].cpu()
        sizes = starts.diff(append=torch.tensor([len(tokens)]))
        blocks, decoder = Blocks(starts, sizes, group_similar(sizes.tolist())), self.trunk.get_decoder()
        outputs = [decoder(input_ids=tokens[grid.to(tokens.device)], use_cache=False) for grid in blocks.grids]
        return torch.cat([o[0].flatten(0, 1) for o in outputs])[blocks.inverse.to(tokens.device)]

    def logits(self, states: Tensor, multiply: Callable[..., Tensor] = F.linear) -> Tensor:  # noqa: ARG002
        """Logits of the next token, scaled and capped as in the trunk: [N, D] -> [N, V]."""
        ignored = torch.zeros(1, len(states), dtype=torch.long, device=states.device)
        with _returning(self.trunk.get_decoder(), states[None]):
            logits: Tensor = self.trunk(input_ids=ignored, use_cache=False).logits[0, :, : self.vocab_size]
        return logits.to(torch.promote_types(logits.dtype, torch.float32))

    @torch.no_grad()
    def generate(self, tokens: Tensor, count: int, choose: Choose, done: Choose) -> None:
        """Generate up to `count` more tokens for each row of tokens [B, L] with transformers, in eval() mode.

        After each token, `choose` turns tokens [B, n] and scores [B, V] into scores [B, V] whose maximum is taken, and
        `done` returns which rows are finished [B]. The model's own generation config (penalties, end tokens) is
        ignored.
        """
        from transformers import GenerationConfig

        # With a single token, modules that keep a recurrent state would take it to continue the last sequence.
        cached = self.cached and tokens.shape[1] > 1
        config = GenerationConfig(max_new_tokens=count, do_sample=False, use_cache=cached)
        training, own = self.training, self.trunk.generation_config
        self.eval().trunk.generation_config = GenerationConfig()  # which would fill in what is not set above
        try:
            self.trunk.generate(
                tokens,
                attention_mask=torch.ones_like(tokens),
                generation_config=config,
                logits_processor=[choose],
                stopping_criteria=[done],
            )
        finally:
            self.train(training).trunk.generation_config = own

    def __getstate__(self) -> object:
        """The state to copy, without recurrent states of the last forward pass, which belong to its graph."""
        for module in self.trunk.modules():
            for name in [n for n, x in vars(module).items() if isinstance(x, Tensor) and x.grad_fn is not None]:
                setattr(module, name, None)
        return super().__getstate__()  # type: ignore[no-untyped-call]

    def _pack(self, tokens: Tensor, written: Rows) -> PackedRows:  # noqa: ARG002
        return unshared(written)

    def selected(
        self, before: Tensor, targets: Tensor, tau: Tensor, want_entropy: bool
    ) -> tuple[Tensor, Tensor | None]:
        """In chunks of tokens: the logits of all tokens never exist at once, and the backward pass recomputes them."""
        size = max(1, TILE // self.vocab_size)
        chunked = partial(checkpoint, self._selected_chunk, use_reentrant=False, preserve_rng_state=False)
        chunks = zip(*(torch.split(x, size) for x in (before, targets, tau.expand(len(before)))), strict=True)
        logp, entropy = (torch.cat(x) for x in zip(*[chunked(*chunk, want_entropy) for chunk in chunks], strict=True))
        return logp, entropy if want_entropy else None

    def above_mean(self, before: Tensor, targets: Tensor) -> Tensor:
        """Logits of targets less the mean over the vocabulary, in chunks of tokens: [N]."""
        size = max(1, TILE // self.vocab_size)
        chunks = zip(torch.split(before, size), torch.split(targets, size), strict=True)
        return torch.cat([_above_mean(self.logits(states), chosen) for states, chosen in chunks])

    def _selected_chunk(
        self, before: Tensor, targets: Tensor, tau: Tensor, want_entropy: bool
    ) -> tuple[Tensor, Tensor]:
        log_p = (self.logits(before) / tau[:, None]).log_softmax(-1)
        entropy = -(log_p.exp() * log_p).sum(-1) if want_entropy else torch.zeros_like(tau)
        return log_p.gather(1, targets[:, None])[:, 0], entropy


def _above_mean(logits: Tensor, targets: Tensor) -> Tensor:
    return logits.gather(1, targets[:, None])[:, 0] - logits.mean(-1)


@contextmanager
def _returning(decoder: Any, states: Tensor) -> Iterator[None]:
    """Let the decoder return these states inside the context, so that its model computes only the logits."""
    decoder.forward = lambda *_, **__: _Output(states)
    try:
        yield
    finally:
        del decoder.forward


class _Output:
    """The output of a decoder of any architecture: its states, and None for every other field."""

    def __init__(self, states: Tensor) -> None:
        self.last_hidden_state = states

    def __getitem__(self, index: Any) -> Any:
        return (self.last_hidden_state,)[index]

    def __getattr__(self, name: str) -> None:
        return None
