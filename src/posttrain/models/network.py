"""One language model with its heads, run on flat tokens.

Legend: T tokens of all rows end to end, B rows, D hidden width, V vocabulary.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from posttrain.core.maths.members import AGGREGATES
from posttrain.core.maths.prototypes import drawn
from posttrain.core.rows import Rows
from posttrain.errors import ModelError, suggestion
from posttrain.models import llama
from posttrain.models.attention import NAME, Layout, register
from posttrain.models.effective_weight import effective_weight
from posttrain.models.energy import LastMLP
from posttrain.models.forward_pass import ForwardPass
from posttrain.models.logprobs import selected_logp
from posttrain.models.mix import mix_of, set_mix
from posttrain.models.originals import Originals
from posttrain.models.outputs.output import heads, output
from posttrain.models.prefixes import PackedRows, pack
from posttrain.models.watched import Watched

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from posttrain.models.members import Members

UNBOUNDED = 2**31 - 1
POSTERIOR = "posterior"


class Network(nn.Module):
    """A causal language model of transformers, the trunk, with named linear heads.

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
        self.only_heads = False  # whether nothing else is trained
        self.originals = Originals()  # of what is trained beside LoRA adapters
        self.lora_members: Members | None = None  # of an ensemble, with adapters of their own
        self.caution = 0.0  # standard deviations of the last layer's posterior that the score is lowered by
        self.members: Callable[[Tensor], Tensor] | None = None  # makes one score of those of an ensemble's members
        self.writes = True  # false for a classifier, whose last layer only fills the place of one
        self.vocab_size: int = len(self.trunk.get_output_embeddings().weight)

    @property
    def unembedding(self) -> tuple[Tensor, Tensor | None]:
        """Weight [V, D] and bias [V] of the last layer, adapter included, without padding rows."""
        layer = self.trunk.get_output_embeddings()
        weight, bias = effective_weight(layer), getattr(layer, "bias", None)
        if self.vocab_size == len(weight):
            return weight, bias
        return weight[: self.vocab_size], None if bias is None else bias[: self.vocab_size]

    @property
    def context(self) -> int:
        """The length of the longest sequence in tokens. State-space models and the like have no limit."""
        return int(getattr(self.trunk.config.get_text_config(), "max_position_embeddings", UNBOUNDED))

    @property
    def learns_positions(self) -> bool:
        """Whether the model has a vector for each position (GPT-2, OPT), so that none is left beyond its context."""
        tables = [m for m in self.trunk.modules() if isinstance(m, nn.Embedding)]
        tables = [m for m in tables if m is not self.trunk.get_input_embeddings()]
        return any(self.context <= m.num_embeddings < self.context + 8 for m in tables)  # OPT has 2 more

    @property
    def device(self) -> torch.device:
        device: torch.device = self.trunk.get_output_embeddings().weight.device
        return device

    def add_head(self, name: str, seed: int | None = None, size: int = 1, mix: Sequence[float] = ()) -> None:
        """Add a linear head of `size` numbers, in float32, for an output that reads it (`value`, `score`).

        It is initialised to 0, or with a seed to normal numbers of variance 1 / (D + 1). `mix`: the weights with which
        its numbers add up to one. Raises ModelError for a name that no output reads.
        """
        if name not in heads():
            raise ModelError(f"no head {name!r}{suggestion(name, heads())}; there are {', '.join(heads())}")
        weight: Tensor = self.trunk.get_output_embeddings().weight
        width = weight.shape[1]
        dtype = torch.promote_types(weight.dtype, torch.float32)
        head = nn.Linear(width, size, device="meta", dtype=dtype).to_empty(device=weight.device)
        numbers = torch.zeros(size, width)
        if seed is not None:
            generator = torch.Generator().manual_seed(seed)
            numbers = torch.randn(size, width, generator=generator, dtype=torch.float32) / (width + 1) ** 0.5
        with torch.no_grad():
            head.weight.copy_(numbers)
            head.bias.zero_()
        set_mix(head, mix)
        self.heads[name] = head

    def combine_members(self, by: str, weight: float) -> None:
        """Let the score be one number, an aggregate of core/maths/members.py of those of the head.

        `posterior`: the score less `weight` standard deviations of its last layer, which the head `doubt` knows.
        """
        if by == POSTERIOR:
            if "doubt" not in self.heads:
                raise ModelError("ensemble: by: posterior reads the head doubt, which procedure: reward/laplace adds")
            self.caution = weight
        else:
            self.members = partial(AGGREGATES[by], weight=weight)

    def head(self, name: str, states: Tensor) -> Tensor:
        """What a head says of states: [N, D] -> [N], or [N, K] for a head of K numbers that are not combined."""
        numbers = self.numbers(name, states)
        if name == "score" and self.members is not None:
            return self.members(numbers)
        if (mix := mix_of(self.heads[name])) is not None:
            return numbers @ mix
        return numbers[:, 0] if numbers.shape[1] == 1 else numbers

    def numbers(self, name: str, states: Tensor) -> Tensor:
        """All numbers of a head: [N, D] -> [N, K]."""
        head = self.heads[name]
        if name == "score" and "prototype" in self.heads:
            states = drawn(states, self.heads["prototype"].get_parameter("weight").to(states.dtype))
        weight, bias = head.get_parameter("weight"), head.get_parameter("bias")
        if name == "score":
            own = self.lora_members is not None  # each member's states, and its row of the head
            product = (states * weight).sum(-1) if own else F.linear(states.to(weight.dtype), weight)
            return with_exact_bias(product, bias)
        return F.linear(states.to(weight.dtype), weight, bias)

    def states(self, tokens: Tensor, layout: Layout, edit: llama.Edit | None = None) -> Tensor:
        """The hidden state after each token: [T] -> [T, D], or [T, M, D] of M members with adapters of their own.

        Every forward pass through the trunk goes through here. `edit` changes what leaves each layer.
        """
        decoder = self.trunk.base_model
        if edit is not None:
            self._check_edits(decoder)
            return llama.states(decoder, tokens, layout, edit)
        if self.lora_members is not None:
            return llama.member_states(decoder, tokens, layout, self.lora_members.shared, self.lora_members.count)
        if llama.supports(decoder):
            return llama.states(decoder, tokens, layout)
        output = decoder(input_ids=tokens[None], position_ids=layout.positions[None], use_cache=False, layout=layout)
        states: Tensor = output.last_hidden_state[0]
        return states

    def _check_edits(self, decoder: Any) -> None:
        """Raise ModelError for a model whose layers another forward pass calls."""
        if not self.flat or self.lora_members is not None or not llama.supports(decoder):
            known = ", ".join(name.removesuffix("Model") for name in llama.SUPPORTED)
            raise ModelError(f"{type(decoder).__name__}: activations can be edited in {known} models")

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
        """Compute the outputs in `names` (files of models/outputs/) for tokens [T], in one forward pass.

        A shared prefix is read once. `written` [T] (default: rows.mask) marks the tokens whose log-probs are wanted.
        Temperature is a number or [T]; where it is 0 (greedy), logits are not scaled. Raises ModelError for an unknown
        output, and for a head or a last layer that the model does not have.
        """
        wanted = {name: output(name) for name in names}
        for name, made in wanted.items():
            if made.head is not None and made.head not in self.heads:
                raise ModelError(f"the output {name} needs a {made.head} head; add_head({made.head!r}) adds one")
            if self.lora_members is not None and not made.of_members:
                raise ModelError(
                    f"the members of an ensemble (lora.members) only score, they give no {name}; name another model "
                    "for the role that needs it, such as models: {critic: FOLDER}"
                )
            if made.writes:
                self.check_writes(f"gives no {name}")
        chosen = rows.mask if written is None else written
        packed = self._pack(tokens, Rows(rows.index, chosen, rows.count))
        layout, watched = packed.layout, None
        if any(made.watches for made in wanted.values()):
            layout = watched = self._watched(layout)
        last_mlp = self._last_mlp() if any(made.hooks for made in wanted.values()) else None
        with last_mlp or nullcontext():
            states = self.states(tokens[packed.tokens], layout)
        entropy = "entropy" in wanted
        forward = ForwardPass(self, tokens, rows, chosen, temperature, states, packed.state, entropy, watched, last_mlp)
        ordered = sorted(wanted, key=lambda name: wanted[name].order)
        outputs = {name: wanted[name].compute(forward) for name in ordered}
        return {name: outputs[name] for name in names}

    outputs = forward

    def check_writes(self, lacks: str) -> None:
        """Raise ModelError for a classifier, which `lacks` what the last layer of a language model gives."""
        if not self.writes:
            raise ModelError(
                f"{self.trunk.name_or_path} is a sequence classifier without the last layer of a language model, so it "
                f"{lacks}. It scores answers: train it with reward/bradley_terry, measure it with posttrain eval on "
                "pairs, or name it as models.reward; give a language model for everything else"
            )

    def _watched(self, layout: Layout) -> Watched:
        """Keep what the last layer attends with. Raises ModelError for a model whose attention is not ours."""
        if not self.flat:
            raise ModelError(f"{type(self.trunk).__name__} gives no attention: it runs as transformers runs it")
        return Watched(layout, self.trunk.config.get_text_config().num_hidden_layers - 1)

    def _last_mlp(self) -> LastMLP:
        """See what the MLP of the last layer reads and writes. Raises ModelError where it runs on padded rows."""
        if not self.flat:
            raise ModelError(f"{type(self.trunk).__name__} gives no energy_loss: it runs as transformers runs it")
        return LastMLP(self.trunk)

    def _pack(self, tokens: Tensor, written: Rows) -> PackedRows:
        return pack(tokens, written)

    def selected(
        self, before: Tensor, targets: Tensor, tau: Tensor, want_entropy: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Log-probs [N] of targets [N] from the states before them [N, D], and entropies [N] if wanted."""
        return selected_logp(before, *self.unembedding, targets, tau, want_entropy)

    def above_mean(self, before: Tensor, targets: Tensor) -> Tensor:
        """Logits [N] of targets [N] from the states before them [N, D], less the mean over the vocabulary."""
        weight, bias = self.unembedding
        wide = torch.promote_types(before.dtype, torch.float32)
        raised: Tensor = (before.to(wide) * (weight[targets].to(wide) - weight.to(wide).mean(0))).sum(-1)
        return raised if bias is None else raised + (bias[targets] - bias.mean()).to(wide)

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


def with_exact_bias(numbers: Tensor, bias: Tensor) -> Tensor:
    """Add a bias whose gradient is summed in float64: [N, K] -> [N, K].

    The gradients of a pair are then opposite to the last digit, and a constant that preferences do not determine stays
    0. Summed in float32 they leave noise, which Adam would blow up to steps of the learning rate.
    """
    if numbers.device.type == "mps":  # has no float64
        return numbers + bias
    return (numbers.double() + bias.double()).to(numbers.dtype)
