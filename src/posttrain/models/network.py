"""One language model with its heads, run on flat tokens.

Legend: T tokens of all rows end to end, B rows, D hidden width, V vocabulary.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
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
from posttrain.models.prefixes import PackedRows, pack

if TYPE_CHECKING:
    from transformers import PreTrainedModel

OUTPUTS = ("logp", "entropy", "logits", "value", "score", "hidden")
HEADS = ("value", "score")
UNBOUNDED = 2**31 - 1


class Network(nn.Module):
    """A causal language model of transformers, the trunk, with named heads that predict one number each.

    The trunk runs on flat tokens through the attention of `posttrain.models.attention`; its other modules and all its
    parameters stay as they are. Dropout is always off, because the log-prob of a token must be the same in sampling and
    training. `vocab_size` token ids have a meaning; the unembedding may have more rows as padding.
    """

    flat = True  # runs on flat tokens, end to end

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
        self.vocab_size: int = len(self.trunk.get_output_embeddings().weight)

    @property
    def unembedding(self) -> tuple[Tensor, Tensor | None]:
        """Weight [V, D] and bias [V] of the last layer, without padding rows."""
        layer = self.trunk.get_output_embeddings()
        weight, bias = layer.weight, getattr(layer, "bias", None)
        if self.vocab_size == len(weight):
            return weight, bias
        return weight[: self.vocab_size], None if bias is None else bias[: self.vocab_size]

    @property
    def context(self) -> int:
        """The length of the longest sequence in tokens. State-space models and the like have no limit."""
        return int(getattr(self.trunk.config.get_text_config(), "max_position_embeddings", UNBOUNDED))

    @property
    def device(self) -> torch.device:
        return self.unembedding[0].device

    def add_head(self, name: str, seed: int | None = None) -> None:
        """Add a linear head with one output, in float32: `value` (of each token) or `score` (of the row's last token).

        It is initialised to 0, or with a seed to normal numbers of variance 1 / (D + 1). Raises ModelError for another
        name.
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
        """The hidden state after each token: [T] -> [T, D]. Every forward pass through the trunk goes through here."""
        decoder = self.trunk.base_model
        if llama.supports(decoder):
            return llama.states(decoder, tokens, layout)
        output = decoder(input_ids=tokens[None], position_ids=layout.positions[None], use_cache=False, layout=layout)
        states: Tensor = output.last_hidden_state[0]
        return states

    def logits(self, states: Tensor, multiply: Callable[..., Tensor] = F.linear) -> Tensor:
        """Logits of the next token in float32 (float64 for float64): [N, D] -> [N, V]."""
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
        """Compute the outputs in `names` for tokens [T], in one forward pass that reads a shared prefix once.

        `logp` [T], `entropy` [T], `logits` [T, V] and `value` [T] at index t belong to the prediction of tokens[t] from
        the state before it, and are 0 for the first token of a row. `logp` and `entropy` are also 0 where `written` [T]
        (default: rows.mask) is false. `score` [B] reads the state of each row's last token; `hidden` [T, D] is the
        state after tokens[t]. Temperature is a number or [T]; where it is 0 (greedy), the logits are not scaled. Raises
        ModelError for an unknown output or a head that the model does not have.
        """
        for name in names:
            self._check(name)
        chosen = rows.mask if written is None else written
        packed = self._pack(tokens, Rows(rows.index, chosen, rows.count))
        states, after = self.states(tokens[packed.tokens], packed.layout), packed.state
        first = rows.index.diff(prepend=rows.index.new_tensor([-1])) != 0
        outputs: dict[str, Tensor] = {}
        if "hidden" in names:
            outputs["hidden"] = take(states, after)
        if "logp" in names or "entropy" in names:
            index = (chosen & ~first).nonzero()[:, 0]
            before = take(states, after[index - 1])
            outputs |= self._logp_and_entropy(before, tokens, index, temperature, "entropy" in names)
        if "logits" in names:
            outputs["logits"] = self._all_logits(take(states, after.roll(1)), first, temperature)
        if "value" in names:
            outputs["value"] = torch.where(first, 0, take(self._head("value", states), after.roll(1)))
        if "score" in names:
            outputs["score"] = self._head("score", take(states, after[rows.sizes.cumsum(0) - 1]))
        return {name: outputs[name] for name in names}

    outputs = forward

    def _pack(self, tokens: Tensor, written: Rows) -> PackedRows:
        return pack(tokens, written)

    def _check(self, name: str) -> None:
        if name not in OUTPUTS:
            raise ModelError(f"no output {name!r}{suggestion(name, OUTPUTS)}; there are {', '.join(OUTPUTS)}")
        if name in HEADS and name not in self.heads:
            raise ModelError(f"the model has no {name} head; add_head({name!r}) makes one")

    def _logp_and_entropy(
        self, before: Tensor, tokens: Tensor, index: Tensor, temperature: Tensor | float, want_entropy: bool
    ) -> dict[str, Tensor]:
        """[T] each, from the states [N, D] before the tokens at the indices `index` [N]."""
        tau = _positive(temperature, before)
        tau = tau[index] if tau.dim() else tau
        logp, entropy = self._selected(before, tokens[index], tau, want_entropy)
        values = {"logp": logp} if entropy is None else {"logp": logp, "entropy": entropy}
        return {n: x.new_zeros(len(tokens)).index_copy(0, index, x) for n, x in values.items()}

    def _selected(
        self, before: Tensor, targets: Tensor, tau: Tensor, want_entropy: bool
    ) -> tuple[Tensor, Tensor | None]:
        return selected_logp(before, *self.unembedding, targets, tau, want_entropy)

    def _all_logits(self, before: Tensor, first: Tensor, temperature: Tensor | float) -> Tensor:
        tau = _positive(temperature, before)
        logits = self.logits(before) / (tau[:, None] if tau.dim() else tau)
        return logits.masked_fill(first[:, None], 0)

    def _head(self, name: str, states: Tensor) -> Tensor:
        head = self.heads[name]
        return head(states.to(head.weight.dtype))[:, 0]  # type: ignore[no-any-return, arg-type]

    def checkpointing(self, on: bool) -> None:
        """Switch activation checkpointing: less memory, one more forward pass. It acts in train() mode only."""
        recompute = partial(checkpoint, use_reentrant=False, preserve_rng_state=False)
        for module in self.trunk.modules():
            if hasattr(module, "gradient_checkpointing"):
                module.gradient_checkpointing = on
                module._gradient_checkpointing_func = recompute

    def copy(self) -> Network:
        """Return a frozen copy in eval() mode, to serve as a reference."""
        return copy.deepcopy(self).requires_grad_(False).eval()


def _positive(temperature: Tensor | float, like: Tensor) -> Tensor:
    """The temperature as a tensor, with 1 in place of 0."""
    wide = torch.promote_types(like.dtype, torch.float32)
    tau = torch.as_tensor(temperature, dtype=wide, device=like.device)
    return torch.where(tau > 0, tau, 1)
