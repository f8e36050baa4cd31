"""Load models from the hub, from folders and GGUF files, and the bundled ones."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from posttrain.errors import ModelError
from posttrain.models.loading.adapter import adapter_in
from posttrain.models.loading.classifier import HEAD, WEIGHT, last_layer, load_score
from posttrain.models.loading.dtypes import dtype_called
from posttrain.models.loading.heads import load_heads
from posttrain.models.loading.members import load_members
from posttrain.models.loading.new_tokens import grow
from posttrain.models.loading.probe import REFUSED, probe
from posttrain.models.loading.quiet import hide_progress_bars, quiet
from posttrain.models.loading.source import BUNDLED, UNREADABLE, Source, source_of
from posttrain.models.loading.stop import stop_tokens
from posttrain.models.loading.stored_quantised import named_as_quantised, refuse_quantised
from posttrain.models.loading.tiny import tiny_model
from posttrain.models.loading.tokenizer import read_tokenizer
from posttrain.models.network import Network
from posttrain.models.padded import Padded

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded:
    """A network in eval() mode, its tokenizer, the name it was loaded by, and the tokens that end an answer.

    `stored`: the dtype of its files.
    """

    network: Network
    tokenizer: PreTrainedTokenizerBase
    name: str
    stop: frozenset[int]
    stored: torch.dtype = torch.float32


def load(
    spec: str,
    *,
    dtype: str = "float32",
    device: str | torch.device = "cpu",
    revision: str | None = None,
    resize: bool = False,
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> Loaded:
    """Load a model, heads included, by hub id, folder, .gguf file or bundled name (`tiny`, `smollm2`).

    The folder may be that of a run, or of an adapter, which is merged into the base model that it names. A sequence
    classifier without the last layer of a language model only scores (`Network.writes`). `resize`: give a tokenizer
    with more tokens than the model the rows that it needs, in place of an error. `tokenizer`: that of the model, where
    it has been read. Only safetensors are read, and no code of the model's author is run. Raises ModelError for a model
    that is missing, does not fit its tokenizer, or gives other logits here than in transformers.
    """
    hide_progress_bars()
    stored, wanted = torch.float32, dtype_called(dtype)
    if spec == "tiny":
        network, own = tiny_model()
        tokenizer = own if tokenizer is None else tokenizer
        network.to(wanted)
    else:
        source = source_of(spec, revision)
        tokenizer = read_tokenizer(source) if tokenizer is None else tokenizer
        opened = _trunk(source, wanted)
        stored = opened.stored
        own = spec in BUNDLED or not Path(spec).expanduser().exists()  # a name of the hub, also of an adapter there
        opened.trunk.name_or_path = spec if own else source.place  # which adapters name as their base
        network = as_network(opened.trunk.to(device), spec)
        network.writes = opened.writes
        load_heads(network, source.folder)
        load_members(network, source.folder)
        if WEIGHT in opened.other and HEAD not in network.heads:
            load_score(network, source)
    fit_vocabulary(network, tokenizer, spec, resize)  # after `probe`, which compares the padding too
    network.to(device).eval()
    return Loaded(network, tokenizer, spec, stop_tokens(network, tokenizer), stored)


def as_network(trunk: Any, name: str) -> Network:
    """Make a network of a model of transformers: on flat tokens or, with a warning, on padded rows.

    Raises ModelError if neither gives the logits of the unchanged model.
    """
    attention = trunk.config._attn_implementation
    try:
        network = Network(trunk)
        probe(network)
    except ModelError as reason:
        trunk.set_attn_implementation(attention)
        network = padded = Padded(trunk)
        try:
            probe(padded)
        except ModelError as error:
            raise ModelError(f"{name}: {reason}; nor does it run through transformers: {error}") from error
        _log.warning(
            "%s cannot run on flat tokens (%s). It runs through transformers, on padded rows, and samples through "
            "its `generate`%s: the same numbers, but slower, and no sampling from mixtures of models",
            name, str(reason).removesuffix(REFUSED), "" if padded.cached else " without a cache",
        )  # fmt: skip
    return network


@dataclass(frozen=True)
class _Opened:
    """A model of transformers, the dtype of its files, the names of weights that it has no place for, and `writes`."""

    trunk: Any
    stored: torch.dtype
    other: frozenset[str] = frozenset()
    writes: bool = True


def _trunk(source: Source, dtype: torch.dtype) -> _Opened:
    """Load the causal language model, adapters merged; of a classifier with a last layer that means nothing."""
    if (adapter := adapter_in(source.folder)) is not None:
        base = _trunk(adapter.source(), dtype)
        return replace(base, trunk=adapter.merged_into(base.trunk))
    if source.name == "tiny":
        return _Opened(tiny_model()[0].trunk.to(dtype), torch.float32)
    opened, missing = _read(source, dtype)
    trunk, other = opened.trunk, opened.other
    if WEIGHT in other and missing and set(missing) <= set(last_layer(trunk)):
        _fill(last_layer(trunk))
        return replace(opened, writes=False)
    if unread := sorted(other - {WEIGHT}):
        message = "%s: %d weights that %s has no place for are not read, %s first"
        _log.warning(message, source.name, len(unread), type(trunk).__name__, unread[0])
    if missing:
        raise ModelError(
            f"{source.name} lacks {len(missing)} weights of {type(trunk).__name__}, {missing[0]} first: "
            "not a whole causal language model"
        )
    return opened


def _read(source: Source, dtype: torch.dtype) -> tuple[_Opened, list[str]]:
    """Read config and weights. Returns the model and the names of weights that the files lack. Raises ModelError."""
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(source.place, **source.options)
        stored = getattr(config, "dtype", None) or torch.float32
        without_dropout(config)
        settings = {"config": config, "dtype": dtype, "use_safetensors": True, "output_loading_info": True}
        with named_as_quantised(source.name, config), quiet():
            trunk, report = AutoModelForCausalLM.from_pretrained(source.place, **settings, **source.options)
    except UNREADABLE as error:
        raise source.unavailable("model", error) from error
    except RuntimeError as error:
        if "ignore_mismatched_sizes" not in str(error):
            raise
        raise ModelError(f"{source.name}: its weights have other shapes than its config.json says") from error
    refuse_quantised(source.name, trunk)
    return _Opened(trunk, stored, frozenset(report["unexpected_keys"])), sorted(report["missing_keys"])


@torch.no_grad()
def _fill(weights: Mapping[str, torch.Tensor]) -> None:
    """Fill weights with the same numbers every time; `probe` compares logits, and nothing else reads them."""
    generator = torch.Generator().manual_seed(0)
    for weight in weights.values():
        weight.copy_(torch.randn(weight.shape, generator=generator) * 0.02)


def without_dropout(config: Any) -> None:
    """Set every dropout probability of a config to 0."""
    text = config.get_text_config()
    for name, value in vars(text).items():
        if isinstance(value, float) and ("dropout" in name or name.endswith("_pdrop")):
            setattr(text, name, 0.0)


def fit_vocabulary(network: Network, tokenizer: PreTrainedTokenizerBase, name: str, resize: bool) -> None:
    """Count the token ids that the tokenizer uses. Models may have more embeddings, padded to a round number."""
    wanted, there = int(max(tokenizer.get_vocab().values())) + 1, network.vocab_size
    if wanted <= there:
        network.vocab_size = wanted
    elif resize:
        grow(network, there, wanted)
    else:
        raise ModelError(
            f"{name}: the tokenizer has token {wanted - 1}, but the model only {there} embeddings; set model.resize: "
            "true to add rows for the others, or use the tokenizer that the model was trained with"
        )
