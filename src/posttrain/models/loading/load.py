"""Load models from the hub, from folders and GGUF files, and the bundled ones; save them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from posttrain.errors import ModelError, suggestion
from posttrain.machine.disk import Files, Stored, save_tensors
from posttrain.models.loading import gguf
from posttrain.models.loading.probe import REFUSED, probe
from posttrain.models.loading.tiny import tiny_model
from posttrain.models.network import Network
from posttrain.models.outputs.output import heads
from posttrain.models.padded import Padded

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}
BUNDLED = ("tiny", "smollm2")
ONE_FILE = 50 * 10**9  # bytes; transformers writes larger models to several files

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded:
    """A network in eval() mode, its tokenizer, the name it was loaded by, and the tokens that end an answer.

    `writes`: whether it has the last layer of a language model, which a classifier of transformers may lack.
    """

    network: Network
    tokenizer: PreTrainedTokenizerBase
    name: str
    stop: frozenset[int]
    writes: bool = True


def load(
    spec: str,
    *,
    dtype: str = "float32",
    device: str | torch.device = "cpu",
    revision: str | None = None,
    classifier: bool = False,
) -> Loaded:
    """Load a model, heads included, by hub id, folder, .gguf file or bundled name (`tiny`, `smollm2`).

    `classifier`: accept one without the last layer of a language model, which only scores. Only safetensors are read,
    and no code of the model's author is run. Raises ModelError for a model that is missing, does not fit its tokenizer,
    or gives other logits here than in transformers.
    """
    _hide_progress_bars()
    writes = True
    if dtype not in DTYPES:
        raise ModelError(f"no dtype {dtype!r}{suggestion(dtype, DTYPES)}; there are {', '.join(DTYPES)}")
    if spec == "tiny":
        network, tokenizer = tiny_model()
        network.to(DTYPES[dtype])
    else:
        source = _source(spec)
        tokenizer = _tokenizer(spec, source, revision)
        trunk, other, writes = _trunk(spec, source, DTYPES[dtype], revision, classifier=classifier)
        network = as_network(trunk.to(device), spec)
        _load_heads(network, Path(source))
        if "score.weight" in other:
            _load_score(network, spec, source, revision)
    network.vocab_size = _vocab_size(spec, network, tokenizer)  # after `probe`, which compares the padding too
    network.to(device).eval()
    return Loaded(network, tokenizer, spec, stop_tokens(network, tokenizer), writes)


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


def _hide_progress_bars() -> None:
    """Hide those of transformers for work that takes a second; downloads keep theirs."""
    from transformers.utils import logging

    logging.disable_progress_bar()


def save(network: Network, tokenizer: PreTrainedTokenizerBase, folder: Path) -> Files:
    """Write a folder that plain transformers loads, and `load` with the heads as well. Returns the files of tensors.

    LoRA adapters are merged into the weights that are written, and also saved on their own in `adapter/`.
    """
    from posttrain.models import lora

    _hide_progress_bars()
    folder.mkdir(parents=True, exist_ok=True)
    if lora.adapted(network):
        stored = _save_trunk(network.trunk, folder, lora.merged_state(network))
        lora.save_adapter(network, folder / "adapter")
    else:
        stored = _save_trunk(network.trunk, folder, network.trunk.state_dict())
    tokenizer.save_pretrained(folder)
    for name, head in network.heads.items():
        file = _head_file(name)
        stored[file] = save_tensors(folder / file, head.state_dict())
    return stored


def _save_trunk(trunk: Any, folder: Path, weights: dict[str, torch.Tensor]) -> dict[str, Stored]:
    """Save like `save_pretrained`, but write the weights with direct I/O, and return their file.

    Weights that need several files are left to `save_pretrained`, and none is returned.
    """
    from transformers.modeling_utils import remove_tied_weights_from_state_dict, revert_weight_conversion

    if sum(w.numel() * w.element_size() for w in weights.values()) > ONE_FILE:
        trunk.save_pretrained(folder, state_dict=weights)
        return {}
    trunk.save_pretrained(folder, state_dict={})  # everything but the weights
    saved = {n: w for n, w in weights.items() if n not in (trunk._keys_to_ignore_on_save or ())}
    named = revert_weight_conversion(trunk, remove_tied_weights_from_state_dict(saved, trunk))
    return {"model.safetensors": save_tensors(folder / "model.safetensors", named, {"format": "pt"})}


def stop_tokens(network: Network, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Return every end token of the generation config, the model config and the tokenizer."""
    trunk = network.trunk
    ends = [trunk.config.get_text_config().eos_token_id, tokenizer.eos_token_id]
    if trunk.generation_config is not None:
        ends.append(trunk.generation_config.eos_token_id)
    lists = (end if isinstance(end, Iterable) else [end] for end in ends)
    return frozenset(int(token) for tokens in lists for token in tokens if token is not None)


def _source(spec: str) -> str:
    """Resolve a name to the folder or hub id that holds safetensors. Raises ModelError."""
    if spec == "smollm2":
        return str(gguf.converted(gguf.smollm2()))
    path = Path(spec).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelError(f"no file {spec}")
        return str(gguf.converted(path))
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ModelError(f"{spec} is a folder without config.json: not a model")
        return str(path)
    if path.is_absolute() or spec.startswith((".", "~")) or spec.count("/") > 1 or os.path.exists(path):
        raise ModelError(f"no model folder {spec}")
    if "/" not in spec:
        raise ModelError(
            f"no model {spec!r}{suggestion(spec, BUNDLED)}; give a hub id (owner/name), a folder, a .gguf file, "
            f"or one of {', '.join(BUNDLED)}"
        )
    return spec


def _tokenizer(spec: str, source: str, revision: str | None) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise _unavailable(spec, "tokenizer", error) from error


def _trunk(
    spec: str, source: str, dtype: torch.dtype, revision: str | None, *, classifier: bool
) -> tuple[Any, set[str], bool]:
    """Load the causal language model. Returns it with the names of weights that it has no place for, and `writes`."""
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(source, revision=revision, trust_remote_code=False)
        _without_dropout(config)
        trunk, report = AutoModelForCausalLM.from_pretrained(
            source,
            config=config,
            revision=revision,
            dtype=dtype,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError) as error:
        raise _unavailable(spec, "model", error) from error
    missing, other = sorted(report["missing_keys"]), set(report["unexpected_keys"])
    if classifier and "score.weight" in other and missing and set(missing) <= set(_last_layer(trunk)):
        _fill(_last_layer(trunk))
        return trunk, other, False
    if missing:
        raise ModelError(
            f"{spec} lacks {len(missing)} weights of {type(trunk).__name__}, {missing[0]} first: "
            "not a whole causal language model"
        )
    return trunk, other, True


def _last_layer(trunk: Any) -> dict[str, torch.Tensor]:
    """The weights that turn states into logits, by name."""
    own = {id(p) for p in trunk.get_output_embeddings().parameters()}
    return {name: p for name, p in trunk.named_parameters() if id(p) in own}


@torch.no_grad()
def _fill(weights: Mapping[str, torch.Tensor]) -> None:
    """Fill weights with the same numbers every time; `probe` compares logits, and nothing else reads them."""
    generator = torch.Generator().manual_seed(0)
    for weight in weights.values():
        weight.copy_(torch.randn(weight.shape, generator=generator) * 0.02)


def _load_score(network: Network, spec: str, source: str, revision: str | None) -> None:
    """Load the head of a reward model of transformers: a sequence classifier, with a number for each label."""
    from transformers import AutoModelForSequenceClassification

    try:
        whole = AutoModelForSequenceClassification.from_pretrained(
            source, revision=revision, dtype="auto", trust_remote_code=False, use_safetensors=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise _unavailable(spec, "reward model", error) from error
    network.add_head("score", size=len(whole.score.weight))
    with torch.no_grad():
        network.heads["score"].get_parameter("weight").copy_(whole.score.weight)


def _without_dropout(config: Any) -> None:
    """Set every dropout probability of a config to 0."""
    text = config.get_text_config()
    for name, value in vars(text).items():
        if isinstance(value, float) and ("dropout" in name or name.endswith("_pdrop")):
            setattr(text, name, 0.0)


def _unavailable(spec: str, what: str, error: Exception) -> ModelError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ModelError(f"{spec}: no {what} that can be loaded from there: {reason}")


def _vocab_size(spec: str, network: Network, tokenizer: PreTrainedTokenizerBase) -> int:
    """The number of token ids that the tokenizer uses. Models may have more embeddings, padded to a round number."""
    largest = int(max(tokenizer.get_vocab().values()))
    if largest >= network.vocab_size:
        raise ModelError(
            f"{spec}: the tokenizer has token {largest}, but the model only {network.vocab_size} embeddings; "
            "resize the embeddings or use the tokenizer that the model was trained with"
        )
    return largest + 1


def _head_file(name: str) -> str:
    return f"{name}_head.safetensors"


def _load_heads(network: Network, folder: Path) -> None:
    """Load the heads that `save` wrote, if there are any."""
    from safetensors.torch import load_file

    for name in heads():
        file = folder / _head_file(name)
        if file.is_file():
            weights = load_file(file)
            network.add_head(name, size=len(weights["weight"]))
            network.heads[name].load_state_dict(weights)
