"""The models of a run file: loaded, with adapters, by role."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import torch

from posttrain.errors import ConfigError
from posttrain.models import nf4
from posttrain.models.loading.given import load_given
from posttrain.models.loading.load import Loaded
from posttrain.models.loading.load import load as load_model
from posttrain.models.loading.new_tokens import add_tokens
from posttrain.models.quantised import quantise

if TYPE_CHECKING:
    from posttrain.config.schema import Model, RunFile
    from posttrain.models.network import Network


_log = logging.getLogger(__name__)

ENDS = {"embed_tokens", "lm_head", "wte", "embed_in", "embed_out"}  # names of embeddings and last layers


def load_policy(run: RunFile, tokenizer: Any = None) -> Loaded:
    """The policy of a run file, with its tokenizer, which may have been read before."""
    loaded = load(run.model, run, tokenizer=tokenizer)
    padding = loaded.network.trunk.config.get_text_config().pad_token_id
    if not loaded.network.writes and padding in loaded.stop:
        _log.warning(
            "%s pads with %r, which also ends answers: transformers reads its score before that token, and here it is "
            "read behind it, as that of every model that is trained; what is saved pads with another token",
            run.model.path, loaded.tokenizer.convert_ids_to_tokens(padding),
        )  # fmt: skip
    return loaded


def load_models(run: RunFile, policy: Loaded) -> tuple[dict[str, Any], dict[str, Loaded]]:
    """The networks that share the policy's vocabulary, the policy included, and the other models, by role.

    A classifier without the last layer of a language model is among the others: nothing but its scores can be read.
    """
    networks: dict[str, Any] = {"policy": policy.network}
    others: dict[str, Loaded] = {}
    for role, entry in run.models.items():
        if entry.endpoint is not None or entry.scripted is not None:
            continue
        if entry.shared:
            networks[role] = policy.network
            continue
        loaded = load(entry, run)
        if entry.ensemble is not None:
            loaded.network.combine_members(entry.ensemble.by, entry.ensemble.weight)
        if loaded.network.writes and loaded.tokenizer.get_vocab() == policy.tokenizer.get_vocab():
            networks[role] = loaded.network
        else:
            loaded.network.to(device_of(run.device))
            others[role] = loaded
    return networks, others


def read_template(spec: Model, name: str = "model") -> str | None:
    """The chat template that the run file puts in place of the tokenizer's."""
    if spec.chat_template is None:
        return None
    try:
        return spec.chat_template.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{name}.chat_template: {spec.chat_template} cannot be read: {error.strerror}") from None


def longest_row(wanted: int | None, network: Network) -> int:
    """The limit of a row in tokens: `train.max_length`, or the context of the model.

    Raises ConfigError for more positions than a model has learned. Where positions are computed, more is a warning.
    """
    context = network.context
    if wanted is None or wanted <= context:
        return wanted or context
    if network.learns_positions:
        raise ConfigError(f"train.max_length: {wanted} is more than the {context} positions of the model; lower it")
    _log.warning(
        "train.max_length: %d is more than the %d positions that the model was made for (max_position_embeddings in "
        "its config.json); other software may refuse longer rows",
        wanted,
        context,
    )
    return wanted


def _opened(spec: Model, run: RunFile, tokenizer: Any = None) -> Loaded:
    """The model that a path names, or that was given in Python under this name."""
    device, given = _first_device(run), run.given.get(spec.path)
    if spec.quantize is not None:
        nf4.load_kernels(device)
        device = "cpu"  # until the weights are packed
    if given is not None:
        own = None if spec.dtype == "auto" else spec.dtype
        return load_given(given, spec.path, dtype=own, device=device, resize=spec.resize)
    dtype, revision = dtype_of(spec), spec.revision
    return load_model(spec.path, dtype=dtype, device=device, revision=revision, resize=spec.resize, tokenizer=tokenizer)


def load(spec: Model, run: RunFile, *, tokenizer: Any = None) -> Loaded:
    """The model that an entry of the run file describes, with its tokens and adapters."""
    loaded = _opened(spec, run, tokenizer)
    loaded.network.only_heads = spec.trained == "heads"
    _add_tokens(spec, loaded)
    _add_adapters(spec, run, loaded.network)
    if spec.activation_checkpointing:
        loaded.network.checkpointing(on=True)
        loaded.network.train()  # checkpointing acts in this mode only; dropout is off in any
    return loaded


def _add_adapters(spec: Model, run: RunFile, network: Network) -> None:
    """Add the adapters of a run file, under which the weights may be packed first."""
    if spec.quantize is not None:
        quantise(network, device_of(run.device), whole=spec.lora.modules_to_save if spec.lora is not None else ())
    if spec.ia3 is not None:
        from posttrain.models.ia3 import add_ia3

        add_ia3(network, spec.ia3.targets, spec.ia3.inputs)
    if (lora := spec.lora) is not None and lora.members > 1:
        from posttrain.models.member_lora import add_members

        targets, own = lora.targets or "all-linear", lora.member_layers
        add_members(network, lora.members, lora.rank, lora.alpha, own, targets, rslora=lora.rslora, seed=run.seed)
    elif lora is not None:
        from posttrain.models.lora import add_lora

        add_lora(
            network,
            lora.rank,
            lora.alpha,
            lora.targets or "all-linear",
            modules_to_save=lora.modules_to_save,
            rslora=lora.rslora,
            seed=run.seed,
        )


def _add_tokens(spec: Model, loaded: Loaded) -> None:
    """Add the new tokens of a run file, and warn if nothing would train them."""
    added = [
        *add_tokens(loaded.network, loaded.tokenizer, spec.new_tokens),
        *add_tokens(loaded.network, loaded.tokenizer, spec.new_special_tokens, special=True),
    ]
    if added and spec.ia3 is not None:
        _log.warning("model.new_tokens: (IA)³ does not train the embeddings of the %d new tokens; LoRA can", len(added))
    if added and spec.lora is not None and not {*(spec.lora.targets or ()), *spec.lora.modules_to_save} & ENDS:
        _log.warning(
            "model.new_tokens: LoRA does not train the embeddings of the %d new tokens; set "
            "model.lora.modules_to_save: [embed_tokens, lm_head]",
            len(added),
        )


def dtype_of(spec: Model) -> str:
    """bf16 where the chip multiplies it fast, float32 otherwise and for the small embedded model."""
    if spec.dtype != "auto":
        return spec.dtype
    fast = torch.cuda.is_available() or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return "bfloat16" if fast and spec.path != "tiny" else "float32"


def _first_device(run: RunFile) -> str:
    """Where models are loaded: on their device, or in host memory where they will be divided over several."""
    return device_of(run.device) if run.backend.path == "local" else "cpu"


def device_of(name: str) -> str:
    """The torch device of `device: auto | cpu | mps | cuda | cuda:N`. ConfigError where there is none."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"device: {name}, but no CUDA device is visible; use device: cpu or auto")
    if ":" in name and int(name.partition(":")[2]) >= (count := torch.cuda.device_count()):
        raise ConfigError(f"device: {name}, but there are {count} CUDA devices; use cuda:0 to cuda:{count - 1}")
    if name == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("device: mps, but this machine has no Metal device; use device: cpu or auto")
    return name
