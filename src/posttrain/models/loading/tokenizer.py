"""What is needed to read data as a model reads it, without its weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from posttrain.models.loading.adapter import adapter_in
from posttrain.models.loading.quiet import hide_progress_bars
from posttrain.models.loading.source import UNREADABLE, Source, source_of
from posttrain.models.loading.stop import ends_of
from posttrain.models.loading.tiny import CONTEXT, byte_tokenizer
from posttrain.models.network import UNBOUNDED

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Reader:
    """A tokenizer with its chat template, the longest row that its model takes, and the tokens that end an answer."""

    tokenizer: PreTrainedTokenizerBase
    context: int
    stop: frozenset[int]


def load_reader(spec: str, revision: str | None = None) -> Reader:
    """Load the tokenizer and the configs of a model. Raises ModelError for one that is missing."""
    from transformers import AutoConfig, GenerationConfig

    hide_progress_bars()
    if spec == "tiny":
        return _tiny_reader()
    source = source_of(spec, revision)
    tokenizer = read_tokenizer(source)
    while (adapter := adapter_in(source.folder)) is not None:
        source = adapter.source()
    if source.name == "tiny":
        return replace(_tiny_reader(), tokenizer=tokenizer)
    try:
        config = AutoConfig.from_pretrained(source.place, **source.options).get_text_config()
    except UNREADABLE as error:
        raise source.unavailable("config", error) from error
    try:
        generation = GenerationConfig.from_pretrained(source.place, **source.options)
    except UNREADABLE:  # a model need not have one
        generation = GenerationConfig()
    stop = ends_of(config.eos_token_id, tokenizer.eos_token_id, generation.eos_token_id)
    return Reader(tokenizer, int(getattr(config, "max_position_embeddings", UNBOUNDED)), stop)


def _tiny_reader() -> Reader:
    tokenizer = byte_tokenizer()
    return Reader(tokenizer, CONTEXT, frozenset({int(tokenizer.eos_token_id)}))


def read_tokenizer(source: Source) -> PreTrainedTokenizerBase:
    """Read the tokenizer of a model, for an adapter without one that of its base model. Raises ModelError."""
    from transformers import AutoTokenizer

    adapter = adapter_in(source.folder)
    if adapter is not None and not adapter.has_tokenizer:
        return read_tokenizer(adapter.source())
    if source.name == "tiny":
        return byte_tokenizer()
    try:
        return AutoTokenizer.from_pretrained(source.place, **source.options)
    except UNREADABLE as error:
        raise source.unavailable("tokenizer", error) from error
