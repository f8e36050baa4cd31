"""The tokens that end an answer, and where a saved model says so: its generation config."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from posttrain.models.network import Network

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def stop_tokens(network: Network, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Return every end token of the generation config, the model config and the tokenizer."""
    ends = [network.trunk.config.get_text_config().eos_token_id, tokenizer.eos_token_id]
    if network.trunk.generation_config is not None:
        ends.append(network.trunk.generation_config.eos_token_id)
    return ends_of(*ends)


def ends_of(*ends: int | Iterable[int] | None) -> frozenset[int]:
    """Return the end tokens of several configs, each of which may have one, several or none."""
    return frozenset(token for end in ends for token in _listed(end))


def set_stop_tokens(network: Network, stop: Iterable[int]) -> None:
    """Let the generation config name all of these tokens, so that `generate` stops where sampling has stopped.

    Tokens that it names keep their order and come first. Nothing changes if it names all of them.
    """
    from transformers import GenerationConfig

    trunk = network.trunk
    if trunk.generation_config is None:
        trunk.generation_config = GenerationConfig.from_model_config(trunk.config)
    config = trunk.generation_config
    named = _listed(config.eos_token_id)
    if added := sorted(set(stop) - set(named)):
        ends = [*named, *added]
        config.eos_token_id = ends[0] if len(ends) == 1 else ends
        config._from_model_config = False  # it says more than the model's config now


def _listed(end: int | Iterable[int] | None) -> list[int]:
    """Return the end tokens of a config, which may be one, several or none, as a list."""
    if end is None:
        return []
    return [int(token) for token in end] if isinstance(end, Iterable) else [int(end)]
