import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

from posttrain.errors import ModelError
from posttrain.models.loading.gguf_tokenizer import CONTROL, NORMAL, UNUSED, USER_DEFINED, vocabulary

BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)


def tokenizer(*steps, model=None):
    made = Tokenizer(model or models.BPE(vocab={"a": 0, "b": 1, "ab": 2}, merges=[("a", "b")]))
    made.pre_tokenizer = steps[0] if len(steps) == 1 else pre_tokenizers.Sequence(list(steps))
    wrapped = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<e>")
    wrapped.add_tokens(["<x>"])
    return wrapped


def test_tokens_kinds_and_merges():
    v = vocabulary(tokenizer(pre_tokenizers.ByteLevel()), 6)
    assert v.tokens == ["a", "b", "ab", "<e>", "<x>", "[PAD5]"]
    assert v.kinds == [NORMAL, NORMAL, NORMAL, CONTROL, USER_DEFINED, UNUSED]
    assert v.merges == ["a b"]


@pytest.mark.parametrize(
    ("steps", "rule"),
    [
        ([pre_tokenizers.ByteLevel()], "gpt-2"),
        ([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel()], "smollm"),
        ([pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), "isolated"), BYTES], "qwen2"),
        (
            [pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX.replace(r"\p{N}|", r"\p{N}{1,3}|")), "isolated"), BYTES],
            "llama-bpe",
        ),
    ],
)
def test_rules_that_cut_text_have_names(steps, rule):
    assert vocabulary(tokenizer(*steps), 5).rule == rule


def test_what_would_be_cut_otherwise_is_refused():
    for steps in ([BYTES], [pre_tokenizers.Split(Regex("x"), "isolated"), BYTES], [pre_tokenizers.Whitespace()]):
        with pytest.raises(ModelError, match="no rule of llama.cpp is known that cuts text as this tokenizer does"):
            vocabulary(tokenizer(*steps), 5)
    with pytest.raises(ModelError, match="the tokenizer is of SentencePiece"):
        vocabulary(tokenizer(BYTES, model=models.BPE(vocab={"a": 0}, merges=[], byte_fallback=True)), 5)
    with pytest.raises(ModelError, match="the tokenizer is WordLevel"):
        vocabulary(tokenizer(BYTES, model=models.WordLevel(vocab={"a": 0}, unk_token="a")), 5)
