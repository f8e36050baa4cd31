"""Save models as folders that plain transformers opens."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from posttrain.machine.disk import Files, Stored, save_tensors
from posttrain.models import adapters
from posttrain.models.loading.classifier import as_classifier, last_layer
from posttrain.models.loading.heads import head_file
from posttrain.models.loading.members import save_members
from posttrain.models.loading.quiet import hide_progress_bars
from posttrain.models.network import Network
from posttrain.models.tying import say_untied

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ONE_FILE = 50 * 10**9  # bytes; transformers writes larger models to several files


def save(network: Network, tokenizer: PreTrainedTokenizerBase, folder: Path) -> Files:
    """Write a folder that plain transformers loads, and `load` with the heads as well. Returns the files of tensors.

    Adapters are merged into the weights that are written, and also saved on their own in `adapter/`. A model that
    only scores can also be opened as a sequence classifier, with the same scores up to the constant that its head adds;
    one that was loaded as a classifier is saved without the last layer that it does not have.
    """
    hide_progress_bars()
    folder.mkdir(parents=True, exist_ok=True)
    trunk, adapted = network.trunk, adapters.adapted(network)
    weights = adapters.merged_state(network) if adapted else trunk.state_dict()
    if not network.writes:
        weights = {name: w for name, w in weights.items() if name not in last_layer(trunk)}
    classifier = as_classifier(network, tokenizer, weights)
    config, tokenizer, other = classifier or (None, tokenizer, {})
    stored = _save_trunk(trunk, folder, weights, other)
    if network.lora_members is not None:
        save_members(network, folder)
    elif adapted:
        adapters.save_adapter(network, folder / "adapter")
    if (apart := adapters.takes_apart(network)) or config is not None:
        config = config or copy.deepcopy(trunk.config)
        if apart:
            say_untied(config)
        config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for name, head in network.heads.items():
        file = head_file(name)
        stored[file] = save_tensors(folder / file, head.state_dict())
    return stored


def _save_trunk(trunk: Any, folder: Path, weights: dict[str, Tensor], other: dict[str, Tensor]) -> dict[str, Stored]:
    """Save like `save_pretrained`, but write the weights with direct I/O, and return their file.

    `other`: tensors beside those of the trunk. Weights that need several files are left to `save_pretrained`, and none
    is returned.
    """
    from transformers.modeling_utils import remove_tied_weights_from_state_dict, revert_weight_conversion

    if sum(w.numel() * w.element_size() for w in weights.values()) > ONE_FILE:
        trunk.save_pretrained(folder, state_dict=weights | other)
        return {}
    trunk.save_pretrained(folder, state_dict={})  # everything but the weights
    saved = {n: w for n, w in weights.items() if n not in (trunk._keys_to_ignore_on_save or ())}
    named = revert_weight_conversion(trunk, remove_tied_weights_from_state_dict(saved, trunk)) | other
    return {"model.safetensors": save_tensors(folder / "model.safetensors", named, {"format": "pt"})}
