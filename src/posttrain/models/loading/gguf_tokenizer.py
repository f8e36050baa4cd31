"""Byte-level tokenizers in the terms of GGUF: tokens with their kinds, merges, and the rule that cuts text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from posttrain.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5  # kinds of tokens
# Regular expressions that cut text into words, with llama.cpp's names for them. They differ in how digits are cut.
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPLITS = {WORDS % "": "qwen2", WORDS % "{1,3}": "llama-bpe"}


@dataclass(frozen=True)
class Vocabulary:
    """Tokens by id, their kinds, the merges as `left right`, and the rule that cuts text into words."""

    tokens: list[str]
    kinds: list[int]
    merges: list[str]
    rule: str


def vocabulary(tokenizer: PreTrainedTokenizerBase, rows: int) -> Vocabulary:
    """Describe a tokenizer for a model with `rows` embeddings. Raises ModelError for another than byte-level BPE."""
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    model = content["model"]
    if model["type"] != "BPE" or model.get("byte_fallback"):
        kind = "of SentencePiece" if model.get("byte_fallback") else model["type"]
        raise ModelError(
            f"gguf: the tokenizer is {kind}, and only byte-level BPE can be written; export a folder and use "
            "llama.cpp's convert_hf_to_gguf.py"
        )
    added = {entry["id"]: entry for entry in content["added_tokens"]}
    names = {i: token for token, i in tokenizer.get_vocab().items()}
    tokens = [names.get(i, f"[PAD{i}]") for i in range(rows)]
    kinds = [_kind(added.get(i), known=i in names) for i in range(rows)]
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    return Vocabulary(tokens, kinds, merges, _rule(content["pre_tokenizer"], merges))


def _kind(entry: dict[str, Any] | None, *, known: bool) -> int:
    if entry is not None:
        return CONTROL if entry["special"] else USER_DEFINED
    return NORMAL if known else UNUSED


def _rule(pre_tokenizer: dict[str, Any] | None, merges: list[str]) -> str:
    """Return llama.cpp's name for a pre-tokenizer. Raises ModelError if it has none: text would be cut differently."""
    steps = [] if pre_tokenizer is None else pre_tokenizer.get("pretokenizers", [pre_tokenizer])
    kinds = [step["type"] for step in steps]
    split = next((step["pattern"].get("Regex") for step in steps if step["type"] == "Split"), None)
    if kinds == ["ByteLevel"] and (steps[0].get("use_regex", True) or not merges):
        return "gpt-2"
    if kinds == ["Digits", "ByteLevel"] and steps[0].get("individual_digits"):
        return "smollm"
    if kinds == ["Split", "ByteLevel"] and split in SPLITS:
        return SPLITS[split]
    raise ModelError(
        f"gguf: no rule of llama.cpp is known that cuts text as this tokenizer does ({' and '.join(kinds) or 'none'}); "
        "export a folder and use llama.cpp's convert_hf_to_gguf.py"
    )
