"""Small tokenizers of the kinds that models ship with, trained on a few sentences in milliseconds.

`sentencepiece` is Llama 2's (a space before each text, also behind every special token), `metaspace` its newer form (a
space before the whole text only), `bytes` GPT-2's, `greedy` one that merges across words and line ends (so that a token
may straddle the beginning of an answer), `wordpiece` BERT's, which loses white space.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.border.families import Family

KINDS = ("sentencepiece", "metaspace", "bytes", "greedy", "wordpiece")
TEXT = [
    "What is the capital of France? The capital of France is Paris. And of Italy? Rome.",
    "Add two and two: 2+2=4. Is 7+5=12 or 13? The answer is 12, I think.",
    "I think that the user wants the weather in Paris today: 18 C, sunny and 3.5 m/s of wind.",
    "system user assistant model tool developer: You are a helpful assistant. Answer in one word.",
    '{"name": "weather", "arguments": {"city": "Paris"}} type function parameters object properties string',
    "assistant\nThe answer\n\nassistant\nParis\n\n[/INST] The [/INST] Paris\n\n= 4 =4 =12 :4 : 4",
] * 3


@cache
def tokenizer_of(family: Family, kind: str, *, special: bool = False) -> Any:
    """Build the tokenizer of a family. `special`: whether `<think>` and its like are special tokens."""
    from tokenizers import AddedToken, Tokenizer
    from transformers import PreTrainedTokenizerFast

    text_form = TRAINERS[kind]()
    tokenizer = Tokenizer.from_str(text_form)
    control = [AddedToken(t, special=True, normalized=False, rstrip=family.swallows) for t in family.control]
    tokenizer.add_special_tokens(control)
    words = [AddedToken(t, special=special, normalized=False) for t in family.words]
    (tokenizer.add_special_tokens if special else tokenizer.add_tokens)(words)
    if family.bos and kind != "bytes":
        tokenizer.post_processor = _begins_with(family.bos, family.eos, tokenizer, ends=kind == "wordpiece")
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        clean_up_tokenization_spaces=False,
        eos_token=family.eos,
        pad_token=family.eos,
        **({"bos_token": family.bos} if family.bos else {}),
        **({"unk_token": "[UNK]"} if kind == "wordpiece" else {}),
    )
    wrapped.chat_template = family.template
    return wrapped


@cache
def llama_tokenizer(family: Family, *, legacy: bool) -> Any:
    """Build transformers' own class for Llama 2, with the words of `sentencepiece`."""
    from tokenizers import AddedToken
    from transformers import LlamaTokenizer

    model = json.loads(_sentencepiece())["model"]
    merges = [tuple(m) for m in model["merges"]]
    named = {"bos_token": family.bos or family.eos, "eos_token": family.eos, "unk_token": "<unk>"}
    tokenizer = LlamaTokenizer(vocab=model["vocab"], merges=merges, legacy=legacy, **named)
    control = [AddedToken(t, special=True, normalized=False) for t in (*family.control, *family.words)]
    tokenizer.add_special_tokens({"additional_special_tokens": control})
    tokenizer.chat_template = family.template
    return tokenizer


def python_tokenizer(family: Family) -> Any:
    """Build a tokenizer in Python, which does not say where its tokens lie: ByT5's, a token for each byte."""
    from transformers import ByT5Tokenizer

    tokenizer = ByT5Tokenizer(extra_ids=0, eos_token=family.eos, additional_special_tokens=list(family.control))
    tokenizer.chat_template = family.template
    return tokenizer


def _begins_with(bos: str, eos: str, tokenizer: Any, *, ends: bool) -> Any:
    """Write BOS before a text, as Llama's tokenizers do, and with `ends` EOS behind it, as BERT's does."""
    from tokenizers import processors

    special = [(t, tokenizer.token_to_id(t)) for t in (bos, eos)]
    return processors.TemplateProcessing(single=f"{bos} $A {eos}" if ends else f"{bos} $A", special_tokens=special)


@cache
def _sentencepiece() -> str:
    from tokenizers import normalizers

    return _byte_fallback(normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), None)


@cache
def _metaspace() -> str:
    from tokenizers import pre_tokenizers

    return _byte_fallback(None, pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=False))


def _byte_fallback(normalizer: Any, pre_tokenizer: Any) -> str:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    # merges lie within words while it is trained, as SentencePiece has them
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="never")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    byte_pieces = [f"<0x{i:02X}>" for i in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=520, special_tokens=["<unk>", *byte_pieces], initial_alphabet=["▁"], show_progress=False
    )
    tokenizer.train_from_iterator([s.replace("\n", " ") for s in TEXT], trainer)
    tokenizer.pre_tokenizer = pre_tokenizer
    data = json.loads(tokenizer.to_str())  # byte pieces are ordinary tokens of the model, as in SentencePiece
    data["added_tokens"] = [t for t in data["added_tokens"] if t["content"] == "<unk>"]
    return json.dumps(data)


@cache
def _bytes(*, regex: bool = True) -> str:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=regex)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        TEXT, trainers.BpeTrainer(vocab_size=440, initial_alphabet=alphabet, show_progress=False)
    )
    return str(tokenizer.to_str())


@cache
def _wordpiece() -> str:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    trainer = trainers.WordPieceTrainer(
        vocab_size=440, special_tokens=["[UNK]"], continuing_subword_prefix="##", show_progress=False
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return str(tokenizer.to_str())


TRAINERS: dict[str, Callable[[], str]] = {
    "sentencepiece": _sentencepiece,
    "metaspace": _metaspace,
    "bytes": _bytes,
    "greedy": lambda: _bytes(regex=False),
    "wordpiece": _wordpiece,
}
