"""One language model with its heads, run on flat tokens.

Legend: T tokens of all rows end to end, B rows, D hidden width, V vocabulary.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from posttrain.core.tensors import Rows
from posttrain.errors import ModelError, suggestion
from posttrain.models import llama
from posttrain.models.attention import NAME, Layout, register
from posttrain.models.kernels.padded_blocks import take
from posttrain.models.logprobs import selected_logp
from posttrain.models.prefixes import Reading, read

if TYPE_CHECKING:
    from transformers import PreTrainedModel

OUTPUTS = ("logp", "entropy", "logits", "value", "score", "hidden")
HEADS = ("value", "score")
UNBOUNDED = 2**31 - 1


class Network(nn.Module):
    """A causal language model of transformers (the trunk) with named heads.

    Dropout is off, always: with it the log-probs of a token before and after sampling would differ. The trunk's
    attention is replaced by that of `posttrain.models.attention`; everything else, and all parameters, are its own.
    """

    flat = True  # runs on tokens end to end, through our attention

    def __init__(self, trunk: PreTrainedModel) -> None:
        super().__init__()
        self.trunk: Any = trunk
        if self.flat:
            register()
            self.trunk.set_attn_implementation(NAME)
        for module in trunk.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        self.heads = nn.ModuleDict()
        self.words: int | None = None  # token ids from here on are padding of the matrix and mean nothing

    @property
    def unembedding(self) -> tuple[Tensor, Tensor | None]:
        """Weight [V, D] and bias [V] of the last layer, without the rows that pad it."""
        layer = self.trunk.get_output_embeddings()
        weight, bias = layer.weight, getattr(layer, "bias", None)
        if self.words is None or self.words == len(weight):
            return weight, bias
        return weight[: self.words], None if bias is None else bias[: self.words]

    @property
    def context(self) -> int:
        """The longest sequence in tokens. State spaces and the like know no longest one."""
        return int(getattr(self.trunk.config.get_text_config(), "max_position_embeddings", UNBOUNDED))

    @property
    def vocabulary(self) -> int:
        """Number of token ids that the model can read and write."""
        return len(self.unembedding[0])

    @property
    def device(self) -> torch.device:
        return self.unembedding[0].device

    def add_head(self, name: str, seed: int | None = None) -> None:
        """A linear head of one number, in float32: `value` (of each token) or `score` (of the row's last token).

        It starts at 0, or with a seed at normal numbers of variance 1 / (D + 1).
        """
        if name not in HEADS:
            raise ModelError(f"no head {name!r}{suggestion(name, HEADS)}; there are {', '.join(HEADS)}")
        weight = self.unembedding[0]
        width = weight.shape[1]
        dtype = torch.promote_types(weight.dtype, torch.float32)
        head = nn.Linear(width, 1, device="meta", dtype=dtype).to_empty(device=weight.device)
        numbers = torch.zeros(1, width)
        if seed is not None:
            generator = torch.Generator().manual_seed(seed)
            numbers = torch.randn(1, width, generator=generator) / (width + 1) ** 0.5
        with torch.no_grad():
            head.weight.copy_(numbers)
            head.bias.zero_()
        self.heads[name] = head

    def states(self, tokens: Tensor, layout: Layout) -> Tensor:
        """Hidden state after each token: [T] -> [T, D]. The one way through the trunk."""
        decoder = self.trunk.base_model
        if llama.related(decoder):
            return llama.states(decoder, tokens, layout)
        output = decoder(input_ids=tokens[None], position_ids=layout.positions[None], use_cache=False, layout=layout)
        states: Tensor = output.last_hidden_state[0]
        return states

    def logits(self, states: Tensor, multiply: Callable[..., Tensor] = F.linear) -> Tensor:
        """Scores of the next token in float32 (float64 for float64): [N, D] -> [N, V]."""
        logits = multiply(states, *self.unembedding)
        return logits.to(torch.promote_types(logits.dtype, torch.float32))

    def forward(
        self,
        tokens: Tensor,
        rows: Rows,
        names: Sequence[str],
        *,
        written: Tensor | None = None,
        temperature: Tensor | float = 1.0,
    ) -> dict[str, Tensor]:
        """The outputs in `names` of tokens [T], from one pass through the trunk, which reads shared prefixes once.

        Index t of logp, entropy, logits [T, V] and value belongs to the prediction of tokens[t] from the state before
        it, and is 0 for the first token of a row; logp and entropy are 0 where `written` [T] (default rows.mask) is
        false. `score` [B] reads the state of each row's last token, `hidden` [T, D] is the state after tokens[t].
        Temperature is a number or [T]; where it is 0 (greedy) the logits are not scaled.
        """
        for name in names:
            self._check(name)
        chosen = rows.mask if written is None else written
        reading = self._reading(tokens, Rows(rows.index, chosen, rows.count))
        states, after = self.states(tokens[reading.places], reading.layout), reading.after
        first = rows.index.diff(prepend=rows.index.new_tensor([-1])) != 0
        outputs: dict[str, Tensor] = {}
        if "hidden" in names:
            outputs["hidden"] = take(states, after)
        if "logp" in names or "entropy" in names:
            place = (chosen & ~first).nonzero()[:, 0]
            before = take(states, after[place - 1])
            outputs |= self._selected(before, tokens, place, temperature, "entropy" in names)
        if "logits" in names:
            outputs["logits"] = self._all_logits(take(states, after.roll(1)), first, temperature)
        if "value" in names:
            outputs["value"] = torch.where(first, 0, take(self._head("value", states), after.roll(1)))
        if "score" in names:
            outputs["score"] = self._head("score", take(states, after[rows.sizes.cumsum(0) - 1]))
        return {name: outputs[name] for name in names}

    outputs = forward

    def _reading(self, tokens: Tensor, written: Rows) -> Reading:
        return read(tokens, written)

    def _check(self, name: str) -> None:
        if name not in OUTPUTS:
            raise ModelError(f"no output {name!r}{suggestion(name, OUTPUTS)}; there are {', '.join(OUTPUTS)}")
        if name in HEADS and name not in self.heads:
            raise ModelError(f"the model has no {name} head; add_head({name!r}) makes one")

    def _selected(
        self, before: Tensor, tokens: Tensor, place: Tensor, temperature: Tensor | float, want_entropy: bool
    ) -> dict[str, Tensor]:
        tau = _positive(temperature, before)
        tau = tau[place] if tau.dim() else tau
        logp, entropy = self._laws(before, tokens[place], tau, want_entropy)
        values = {"logp": logp} if entropy is None else {"logp": logp, "entropy": entropy}
        return {n: x.new_zeros(len(tokens)).index_copy(0, place, x) for n, x in values.items()}

    def _laws(self, before: Tensor, targets: Tensor, tau: Tensor, want_entropy: bool) -> tuple[Tensor, Tensor | None]:
        return selected_logp(before, *self.unembedding, targets, tau, want_entropy)

    def _all_logits(self, before: Tensor, first: Tensor, temperature: Tensor | float) -> Tensor:
        tau = _positive(temperature, before)
        logits = self.logits(before) / (tau[:, None] if tau.dim() else tau)
        return logits.masked_fill(first[:, None], 0)

    def _head(self, name: str, states: Tensor) -> Tensor:
        head = self.heads[name]
        return head(states.to(head.weight.dtype))[:, 0]  # type: ignore[no-any-return, arg-type]

    def checkpointing(self, on: bool) -> None:
        """Activation checkpointing: less memory, one more forward pass. It acts in train() mode only."""
        recompute = partial(checkpoint, use_reentrant=False, preserve_rng_state=False)
        for module in self.trunk.modules():
            if hasattr(module, "gradient_checkpointing"):
                module.gradient_checkpointing = on
                module._gradient_checkpointing_func = recompute

    def copy(self) -> Network:
        """A frozen copy in eval() mode: the reference."""
        twin = copy.deepcopy(self)
        return twin.requires_grad_(False).eval()

    @contextmanager
    def without_adapters(self) -> Iterator[None]:
        """Inside, the model is the one that its LoRA adapters were added to."""
        from posttrain.models.lora import switch

        switch(self, on=False)
        try:
            yield
        finally:
            switch(self, on=True)


def _positive(temperature: Tensor | float, like: Tensor) -> Tensor:
    wide = torch.promote_types(like.dtype, torch.float32)
    tau = torch.as_tensor(temperature, dtype=wide, device=like.device)
    return torch.where(tau > 0, tau, 1)
